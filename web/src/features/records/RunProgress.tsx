// How far a run is.
import { useTranslation } from 'react-i18next'
import type { BackupRecord } from '../../api/client'
import { Moving } from '../../ui/Moving'
import { Section } from '../../ui/Page'

export function RunProgress({ record }: { record: BackupRecord }) {
  const { t } = useTranslation()
  return (
    <Section title={t('progress.title')}>
      <Moving progress={record.progress} startedAt={record.startedAt} queued={record.status === 'queued'} stopping={Boolean(record.cancelRequestedAt)} name={record.taskName} />
    </Section>
  )
}
