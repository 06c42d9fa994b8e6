// The files of a run, out of its index.
import { useTranslation } from 'react-i18next'
import type { BackupRecord } from '../../api/client'
import { useMay } from '../../api/people'
import { hasCopy } from '../../api/records'
import { Empty } from '../../ui/Empty'
import { FileTree } from '../../ui/files/FileTree'
import { Section } from '../../ui/Page'

export function Files({ record }: { record: BackupRecord }) {
  const { t } = useTranslation()
  const operator = useMay('operator')
  return (
    <Section title={t('records.tabs.files')} bare>
      {!operator ? <Empty icon="lock" title={t('files.forbidden')}>{t('errors.next.forbidden')}</Empty>
        : hasCopy(record) ? <FileTree recordId={record.id} />
        : <Empty icon="folder" title={t('files.none')}>{t('files.noneLead')}</Empty>}
    </Section>
  )
}
