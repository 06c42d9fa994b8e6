// Tasks: searched and filtered by what stands in the address; several at once can be run, turned on or off.
import { Link, getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Task } from '../../api/client'
import { useNodeNames } from '../../api/nodes'
import { useMay } from '../../api/people'
import { useStrips } from '../../api/records'
import { useTargetNames } from '../../api/targets'
import { useTasks } from '../../api/tasks'
import { useMinute } from '../../lib/clock'
import { listed } from '../../lib/format'
import { matches } from '../../lib/search'
import { Badge } from '../../ui/Badge'
import { ButtonLink } from '../../ui/Button'
import { Strip } from '../../ui/charts/Strip'
import { Empty } from '../../ui/Empty'
import { ListPanel } from '../../ui/ListPanel'
import { PageHead } from '../../ui/Page'
import { Table, type Column } from '../../ui/Table'
import { Ago } from '../../ui/Time'
import { BulkBar } from './BulkBar'
import { TaskFilters } from './TaskFilters'
import { useWhen } from './useWhen'
import { isPaused, readsOf } from './where'
import './tasks.css'

const route = getRouteApi('/tasks')
const STEP = 25

export function TaskList() {
  const { t } = useTranslation()
  const admin = useMay('admin')
  const search = route.useSearch()
  const go = route.useNavigate()
  const tasks = useTasks()
  const node = useNodeNames()
  const target = useTargetNames()
  const [shown, setShown] = useState(STEP)
  const [picked, setPicked] = useState<ReadonlySet<number>>(new Set())
  const found = (tasks.data ?? []).filter((task) =>
    matches(search.q, [task.name, node(task.nodeId), task.pool, ...task.targetIds.map(target), ...readsOf(task.source)])
    && (!search.kind || task.source.type === search.kind)
    && (search.node === undefined || task.nodeId === search.node)
    && (search.target === undefined || task.targetIds.includes(search.target))
    && (!search.state || (search.state === 'on' ? task.enabled : search.state === 'off' ? !task.enabled : true)))
  const rows = found.slice(0, shown)
  return (
    <div className="stack wide">
      <PageHead title={t('nav.tasks')} lead={t('tasks.lead')} actions={admin && <ButtonLink to="/tasks/new" look="main" icon="plus">{t('tasks.add')}</ButtonLink>} />
      <TaskFilters search={search} onSearch={(change) => { void go({ search: (before) => ({ ...before, ...change }), replace: true }) }} />
      <ListPanel
        query={tasks}
        all={tasks.data?.length}
        found={found.length}
        shown={rows.length}
        empty={<Empty icon="tasks" title={t('tasks.empty.title')} action={admin && <ButtonLink to="/tasks/new" look="main">{t('tasks.add')}</ButtonLink>}>{t('tasks.empty.lead')}</Empty>}
        clear={<ButtonLink to="/tasks" search={{}}>{t('clearFilters')}</ButtonLink>}
        more={found.length > rows.length ? { act: () => { setShown(shown + STEP * 2) } } : undefined}
      >
        {picked.size > 0 && <BulkBar tasks={found.filter((task) => picked.has(task.id))} onDone={() => { setPicked(new Set()) }} />}
        <Rows rows={rows} picked={picked} onPicked={setPicked} />
      </ListPanel>
    </div>
  )
}

function Rows({ rows, picked, onPicked }: { rows: readonly Task[]; picked: ReadonlySet<number>; onPicked: (picked: ReadonlySet<number>) => void }) {
  const { t } = useTranslation()
  const operator = useMay('operator')
  const node = useNodeNames()
  const target = useTargetNames()
  const when = useWhen()
  const now = useMinute()
  const strips = useStrips(rows.map((task) => task.id))
  const place = new Map(rows.map((task, index) => [task.id, index]))
  function pick(id: number, on: boolean) {
    const next = new Set(picked)
    if (on) next.add(id)
    else next.delete(id)
    onPicked(next)
  }
  const columns: Column<Task>[] = [
    { name: t('tasks.columns.name'), kind: 'lead', cell: (task) => (
      <div className="task-name">
        {operator && <input type="checkbox" checked={picked.has(task.id)} aria-label={t('tasks.pick', { name: task.name })} onChange={(event) => { pick(task.id, event.target.checked) }} />}
        <div>
          <Link to="/tasks/$id" params={{ id: String(task.id) }} className="name">{task.name}</Link>
          <div className="quiet small">{t(`source.${task.source.type}`)}</div>
        </div>
      </div>
    ) },
    { name: t('tasks.columns.from'), cell: (task) => <span title={readsOf(task.source).join('\n')}>{node(task.nodeId) ?? (task.pool ? t('tasks.pool', { pool: task.pool }) : `#${task.nodeId ?? ''}`)}</span> },
    { name: t('tasks.columns.to'), cell: (task) => listed(task.targetIds.map(target)) },
    { name: t('tasks.columns.when'), cell: (task) => <When task={task} text={when(task)} paused={isPaused(task, now)} /> },
    { name: t('tasks.columns.runs'), cell: (task) => <Strip records={strips[place.get(task.id) ?? 0]?.data} task={task.name} /> },
  ]
  return <Table name={t('nav.tasks')} columns={columns} rows={rows} id={(task) => task.id} />
}

function When({ task, text, paused }: { task: Task; text: string; paused: boolean }) {
  const { t } = useTranslation()
  if (!task.enabled) return <Badge tone="idle">{t('tasks.off')}</Badge>
  if (paused) return <span className="row"><Badge tone="warn">{t('tasks.paused')}</Badge>{task.pausedUntil && <span className="quiet small">{t('tasks.until')} <Ago at={task.pausedUntil} /></span>}</span>
  return (
    <>
      {text}
      {task.nextRunAt && <div className="quiet small">{t('tasks.next')} <Ago at={task.nextRunAt} /></div>}
    </>
  )
}
