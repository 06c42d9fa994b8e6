// The overview: what needs somebody first, then what runs, what is protected, and what comes next.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { BackupRecord } from '../../api/client'
import { useNodes } from '../../api/nodes'
import { useMay } from '../../api/people'
import { useRecent, useStrips } from '../../api/records'
import { useTargets } from '../../api/targets'
import { useTasks } from '../../api/tasks'
import { useMinute } from '../../lib/clock'
import { ButtonLink } from '../../ui/Button'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { PageHead } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { Figures } from './Figures'
import { Growth } from './Growth'
import { NextRuns } from './NextRuns'
import { Running } from './Running'
import { TaskStrips } from './TaskStrips'
import { TroubleList } from './TroubleList'
import { troubles } from './worst'
import './overview.css'

/** So many runs that went wrong are looked at, of each kind, to tell which tasks are in trouble now. */
const LOOK = 50
const ROWS = 10

export function Overview() {
  const { t } = useTranslation()
  const now = useMinute()
  const [more, setMore] = useState(ROWS)
  const admin = useMay('admin')
  const tasks = useTasks()
  const nodes = useNodes()
  const targets = useTargets()
  const recent = useRecent({}, 200)
  const bad = [useRecent({ status: 'failed' }, LOOK), useRecent({ status: 'missed' }, LOOK), useRecent({ status: 'degraded' }, LOOK)]

  const suspects = new Set([...bad.flatMap((query) => query.data ?? []), ...(recent.data ?? []).filter((record) => record.alarm ?? record.drill)].map((record) => record.taskId))
  const known = tasks.data ?? []
  const looked = known.filter((task) => suspects.has(task.id))
  // Tasks in trouble stand first; the others follow as long as there is room.
  const order = [...looked, ...known.filter((task) => !suspects.has(task.id))]
  const rows = order.slice(0, Math.max(more, Math.min(looked.length, LOOK)))
  const stripQueries = useStrips(rows.map((task) => task.id))
  const strips = new Map<number, readonly BackupRecord[]>()
  rows.forEach((task, place) => { const data = stripQueries[place]?.data; if (data) strips.set(task.id, data) })

  const failed = [tasks, nodes, targets, recent].find((query) => query.isError && query.data === undefined)
  if (failed?.error) return <Failure error={failed.error} retry={() => failed.refetch()} />
  const found = troubles({ tasks: known, strips, nodes: nodes.data ?? [], targets: targets.data ?? [], now })
  const loading = !tasks.data || !nodes.data || !targets.data || bad.some((query) => query.isPending) || stripQueries.some((query) => query.isPending)
  const worse = new Set(found.flatMap((trouble) => ('record' in trouble ? [trouble.record.taskId] : [])))
  const lead = loading ? t('loading') : found.length > 0 ? t('overview.trouble', { count: found.length }) : known.length > 0 ? t('overview.well') : t('overview.nothing')

  return (
    <div className="stack wide">
      <PageHead title={t('nav.overview')} lead={lead} actions={admin && known.length > 0 && <ButtonLink to="/tasks/new" look="main" icon="plus">{t('tasks.add')}</ButtonLink>} />
      {tasks.data?.length === 0 ? (
        <div className="panel">
          <Empty icon="shield" title={t('overview.empty.title')} action={admin && <ButtonLink to="/start" look="main">{t('overview.empty.action')}</ButtonLink>}>{t('overview.empty.lead')}</Empty>
        </div>
      ) : (
        <>
          <Figures tasks={known} nodes={nodes.data} targets={targets.data} recent={recent.data} troubled={worse.size} loading={loading} />
          {found.length > 0 && <TroubleList troubles={found} />}
          {tasks.data ? (
            <div className="overview-columns">
              <div className="stack wide">
                <Running records={recent.data} />
                <TaskStrips tasks={[...rows].sort((a, b) => Number(worse.has(b.id)) - Number(worse.has(a.id)))} strips={strips} total={known.length} onMore={() => { setMore((before) => before + 20) }} />
              </div>
              <div className="stack wide">
                <NextRuns tasks={known} />
                <Growth records={recent.data} />
              </div>
            </div>
          ) : <div className="panel"><Skeleton lines={8} /></div>}
        </>
      )}
    </div>
  )
}
