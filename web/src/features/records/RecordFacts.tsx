// What is known of a run.
import { useTranslation } from 'react-i18next'
import type { BackupRecord } from '../../api/client'
import { useNow } from '../../lib/clock'
import { bytes, count, secondsBetween, share, span } from '../../lib/format'
import { Fact, Facts, Section } from '../../ui/Page'
import { At } from '../../ui/Time'
import { placeOf } from './place'

const PROBLEMS = ['changed', 'unreadable', 'vanished', 'skipped'] as const

export function RecordFacts({ record }: { record: BackupRecord }) {
  const { t } = useTranslation()
  const now = useNow()
  const { counts, statistics } = record
  const problems = PROBLEMS.filter((name) => counts[name] > 0)
  const encrypted = record.streams.some((stream) => stream.encrypted)
  return (
    <Section title={t('records.facts')}>
      <Facts>
        <Fact name={t('records.fact.node')}>{placeOf(record) ?? t('records.inPool')}</Fact>
        <Fact name={t('records.fact.trigger')}>{t(`records.begunBy.${record.trigger}`)}</Fact>
        <Fact name={t('records.fact.begun')}><At at={record.startedAt ?? record.createdAt} /></Fact>
        {record.startedAt && <Fact name={t('records.fact.took')}>{span(secondsBetween(record.startedAt, record.finishedAt, now))}</Fact>}
        {record.rawBytes > 0 && <Fact name={t('records.fact.read')}>{bytes(record.rawBytes)}{statistics && statistics.bytesPerSecond > 0 && <span className="quiet"> {t('records.speed', { size: bytes(statistics.bytesPerSecond) })}</span>}</Fact>}
        {record.storedBytes > 0 && <Fact name={t('records.fact.stored')}>{bytes(record.storedBytes)}{record.rawBytes > 0 && <span className="quiet"> {t('records.storedShare', { share: share(record.storedBytes / record.rawBytes) })}</span>}</Fact>}
        {counts.files > 0 && <Fact name={t('records.fact.files')}>{count(counts.files)}{statistics?.changedShare != null && <span className="quiet"> {t('records.changedShare', { share: share(statistics.changedShare) })}</span>}</Fact>}
        {problems.length > 0 && <Fact name={t('records.fact.problems')}>{problems.map((name) => <span key={name} className="tone-text-warn nowrap">{count(counts[name])} {t(`records.problem.${name}`)} </span>)}</Fact>}
        {record.streams.length > 0 && <Fact name={t('records.fact.encrypted')}>{encrypted ? t('yes') : <span className="tone-text-warn">{t('no')}</span>}</Fact>}
        {record.lock && <Fact name={t('records.fact.locked')}>{record.lock.reason} <span className="quiet">(<At at={record.lock.since} />)</span></Fact>}
        {record.streams.length > 0 && <Fact name={t('records.fact.location')}><code>{record.location}</code></Fact>}
      </Facts>
    </Section>
  )
}
