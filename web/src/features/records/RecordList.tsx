// Runs, newest first, by state, task and node.
import { Link, getRouteApi } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { BackupRecord } from '../../api/client'
import { useNodes } from '../../api/nodes'
import { useRecords } from '../../api/records'
import { useTasks } from '../../api/tasks'
import { useNow } from '../../lib/clock'
import { bytes, secondsBetween, share, span } from '../../lib/format'
import { ButtonLink } from '../../ui/Button'
import { Empty } from '../../ui/Empty'
import { Filter } from '../../ui/Field'
import { ListPanel } from '../../ui/ListPanel'
import { PageHead } from '../../ui/Page'
import { RunTabs } from '../../ui/RunTabs'
import { StatusBadge } from '../../ui/Status'
import { Table, type Column } from '../../ui/Table'
import { Ago } from '../../ui/Time'
import { placeOf } from './place'

const route = getRouteApi('/records')
const STATES = ['queued', 'running', 'success', 'degraded', 'failed', 'cancelled', 'missed'] as const

export function RecordList() {
  const { t } = useTranslation()
  const search = route.useSearch()
  const records = useRecords({
    ...(search.status && { status: search.status }),
    ...(search.task !== undefined && { taskId: search.task }),
    ...(search.node !== undefined && { nodeId: search.node }),
  })
  const rows = records.data?.pages.flatMap((page) => page.items)
  const filtered = search.status !== undefined || search.task !== undefined || search.node !== undefined
  return (
    <div className="stack wide">
      <PageHead title={t('nav.runs')} lead={t('records.lead')} />
      <RunTabs here="records" />
      <Filters />
      <ListPanel
        query={records}
        all={rows && (filtered ? Math.max(1, rows.length) : rows.length)}
        found={rows?.length ?? 0}
        shown={rows?.length ?? 0}
        empty={<Empty icon="runs" title={t('records.empty.title')} action={<ButtonLink to="/tasks" look="main">{t('records.empty.action')}</ButtonLink>}>{t('records.empty.lead')}</Empty>}
        clear={<ButtonLink to="/records" search={{}}>{t('clearFilters')}</ButtonLink>}
        more={records.hasNextPage ? { act: () => { void records.fetchNextPage() }, busy: records.isFetchingNextPage, name: t('records.older') } : undefined}
      >
        {rows && <Rows rows={rows} />}
      </ListPanel>
    </div>
  )
}

function Filters() {
  const { t } = useTranslation()
  const search = route.useSearch()
  const go = route.useNavigate()
  const tasks = useTasks().data ?? []
  const nodes = useNodes().data ?? []
  const number = (text: string) => (text === '' ? undefined : Number(text))
  return (
    <div className="row">
      <Filter name={t('records.filter.status')} value={search.status ?? ''} options={[{ value: '', label: t('records.filter.status') }, ...STATES.map((value) => ({ value, label: t(`status.record.${value}`) }))]} onValue={(status) => { void go({ search: (before) => ({ ...before, status: status === '' ? undefined : status }), replace: true }) }} />
      <Filter name={t('records.filter.task')} value={String(search.task ?? '')} options={[{ value: '', label: t('records.filter.task') }, ...tasks.map((task) => ({ value: String(task.id), label: task.name }))]} onValue={(task) => { void go({ search: (before) => ({ ...before, task: number(task) }), replace: true }) }} />
      <Filter name={t('records.filter.node')} value={String(search.node ?? '')} options={[{ value: '', label: t('records.filter.node') }, ...nodes.map((node) => ({ value: String(node.id), label: node.name }))]} onValue={(node) => { void go({ search: (before) => ({ ...before, node: number(node) }), replace: true }) }} />
    </div>
  )
}

function Rows({ rows }: { rows: readonly BackupRecord[] }) {
  const { t } = useTranslation()
  const columns: Column<BackupRecord>[] = [
    { name: t('records.columns.task'), kind: 'lead', cell: (record) => <><Link to="/records/$id" params={{ id: String(record.id) }} className="name">{record.taskName}</Link> <span className="quiet small">#{record.id}</span></> },
    { name: t('records.columns.status'), kind: 'aside', cell: (record) => <StatusBadge status={record.status} /> },
    { name: t('records.columns.node'), cell: (record) => placeOf(record) ?? <span className="quiet">{t('records.inPool')}</span> },
    { name: t('records.columns.begun'), cell: (record) => <Ago at={record.startedAt ?? record.createdAt} /> },
    { name: t('records.columns.took'), kind: 'number', cell: (record) => <Took record={record} /> },
    { name: t('records.columns.read'), kind: 'number', cell: (record) => (record.startedAt ? bytes(record.rawBytes || record.progress.bytes) : '') },
    { name: t('records.columns.stored'), kind: 'number', cell: (record) => (record.storedBytes > 0 ? <span title={t('records.storedShare', { share: share(record.rawBytes > 0 ? record.storedBytes / record.rawBytes : 1) })}>{bytes(record.storedBytes)}</span> : '') },
  ]
  return <Table name={t('nav.runs')} columns={columns} rows={rows} id={(record) => record.id} />
}

function Took({ record }: { record: BackupRecord }) {
  const now = useNow()
  if (!record.startedAt) return null
  return span(secondsBetween(record.startedAt, record.finishedAt, now))
}
