// Operations as a table.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Operation } from '../../api/client'
import { useNodeNames } from '../../api/nodes'
import { sentence } from '../../lib/format'
import { OperationBadge } from '../../ui/Status'
import { Table, type Column } from '../../ui/Table'
import { Ago } from '../../ui/Time'

export function OperationTable({ name, operations }: { name: string; operations: readonly Operation[] }) {
  const { t } = useTranslation()
  const nodes = useNodeNames()
  const what = (operation: Operation) => (operation.kind === 'verify' ? t(`operations.verify.${operation.mode}`) : operation.kind === 'restore' && operation.dryRun ? t('restores.dryRun') : t(`operations.kind.${operation.kind}`))
  const columns: Column<Operation>[] = [
    { name: t('operations.columns.kind'), kind: 'lead', cell: (operation) => <Link to="/operations/$id" params={{ id: String(operation.id) }} className="name">{what(operation)}</Link> },
    { name: t('operations.columns.status'), kind: 'aside', cell: (operation) => <OperationBadge status={operation.status} /> },
    { name: t('restores.fact.record'), cell: (operation) => <Link to="/records/$id" params={{ id: String(operation.recordId) }}>#{operation.recordId}</Link> },
    { name: t('records.fact.node'), cell: (operation) => nodes(operation.nodeId) ?? `#${operation.nodeId}` },
    { name: t('operations.columns.at'), cell: (operation) => <Ago at={operation.createdAt} /> },
    { name: t('operations.columns.error'), cell: (operation) => operation.error && <span className="tone-text-bad small clamp" title={operation.error.message}>{sentence(operation.error.message)}</span> },
  ]
  return <Table name={name} columns={columns} rows={operations} id={(operation) => operation.id} />
}
