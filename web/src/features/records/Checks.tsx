// What was done with a run since: verifications, drills, restores, copies, removals.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { BackupRecord, Operation } from '../../api/client'
import { useOperations } from '../../api/operations'
import { sentence } from '../../lib/format'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { Section } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { OperationBadge } from '../../ui/Status'
import { Table, type Column } from '../../ui/Table'
import { Ago } from '../../ui/Time'

export function Checks({ record }: { record: BackupRecord }) {
  const { t } = useTranslation()
  const operations = useOperations({ recordId: record.id }, 100)
  const columns: Column<Operation>[] = [
    { name: t('operations.columns.kind'), kind: 'lead', cell: (operation) => <Link to="/operations/$id" params={{ id: String(operation.id) }} className="name">{operation.kind === 'verify' ? t(`operations.verify.${operation.mode}`) : t(`operations.kind.${operation.kind}`)}</Link> },
    { name: t('operations.columns.status'), kind: 'aside', cell: (operation) => <OperationBadge status={operation.status} /> },
    { name: t('operations.columns.at'), cell: (operation) => <Ago at={operation.createdAt} /> },
    { name: t('operations.columns.error'), cell: (operation) => (operation.error ? <span className="tone-text-bad small clamp" title={operation.error.message}>{sentence(operation.error.message)}</span> : '') },
  ]
  return (
    <Section title={t('records.tabs.checks')} bare>
      {operations.isPending && <Skeleton />}
      {operations.error && <div className="section-body"><Failure error={operations.error} retry={() => operations.refetch()} /></div>}
      {operations.data?.length === 0 && <Empty icon="shield" title={t('records.noChecks.title')}>{t('records.noChecks.lead')}</Empty>}
      {operations.data && operations.data.length > 0 && <Table name={t('records.tabs.checks')} columns={columns} rows={operations.data} id={(operation) => operation.id} />}
    </Section>
  )
}
