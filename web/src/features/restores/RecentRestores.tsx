// The last restores, and what became of them.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Operation } from '../../api/client'
import { useNodeNames } from '../../api/nodes'
import { useOperations } from '../../api/operations'
import { Section } from '../../ui/Page'
import { OperationBadge } from '../../ui/Status'
import { Table, type Column } from '../../ui/Table'
import { Ago } from '../../ui/Time'

export function RecentRestores() {
  const { t } = useTranslation()
  const nodes = useNodeNames()
  const operations = useOperations({ kind: 'restore' }, 10).data ?? []
  if (operations.length === 0) return null
  const columns: Column<Operation>[] = [
    { name: t('operations.columns.kind'), kind: 'lead', cell: (operation) => <Link to="/operations/$id" params={{ id: String(operation.id) }} className="name">{operation.kind === 'restore' && operation.dryRun ? t('restores.dryRun') : t('operations.kind.restore')}</Link> },
    { name: t('operations.columns.status'), kind: 'aside', cell: (operation) => <OperationBadge status={operation.status} /> },
    { name: t('restores.fact.record'), cell: (operation) => <Link to="/records/$id" params={{ id: String(operation.recordId) }}>#{operation.recordId}</Link> },
    { name: t('records.fact.node'), cell: (operation) => nodes(operation.nodeId) ?? `#${operation.nodeId}` },
    { name: t('operations.columns.at'), cell: (operation) => <Ago at={operation.createdAt} /> },
  ]
  return <Section title={t('restores.recent')} bare><Table name={t('restores.recent')} columns={columns} rows={operations} id={(operation) => operation.id} /></Section>
}
