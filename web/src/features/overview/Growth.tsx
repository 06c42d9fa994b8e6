// What was stored a day, over the last fortnight.
import { useTranslation } from 'react-i18next'
import type { BackupRecord } from '../../api/client'
import { useMinute } from '../../lib/clock'
import { bytes, day } from '../../lib/format'
import { Bars } from '../../ui/charts/Bars'
import { Section } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { perDay } from './worst'

const DAYS = 14
/** As many as the overview asks for: fewer mean that there are no older ones. */
const ASKED = 200

export function Growth({ records }: { records: readonly BackupRecord[] | undefined }) {
  const { t } = useTranslation()
  const now = useMinute()
  if (!records) return <div className="panel"><Skeleton lines={5} /></div>
  const days = perDay(records, records.length < ASKED, DAYS, now)
  if (days.length === 0) return null
  const date = (at: number) => day(new Date(at).toISOString())
  const bars = days.map(({ at, stored, runs }) => ({ key: at, value: stored, title: t('overview.storedOn', { day: date(at), size: bytes(stored), runs }) }))
  return (
    <Section title={t('overview.growth')}>
      <Bars bars={bars} name={t('overview.growth')} scale={bytes} from={date(days[0]?.at ?? now)} to={t('overview.today')} />
    </Section>
  )
}
