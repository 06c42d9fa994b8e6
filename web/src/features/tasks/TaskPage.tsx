// One task: its runs over time, what it does, and what its retention keeps.
import { getRouteApi } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useMay } from '../../api/people'
import { useTask } from '../../api/tasks'
import { useMinute } from '../../lib/clock'
import { Badge } from '../../ui/Badge'
import { ButtonLink } from '../../ui/Button'
import { Failure } from '../../ui/Failure'
import { Note } from '../../ui/Note'
import { Crumb, PageHead } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { Tabs } from '../../ui/Tabs'
import { Ago, At } from '../../ui/Time'
import { SourceTest } from './SourceTest'
import { TaskActions } from './TaskActions'
import { TaskRetention } from './TaskRetention'
import { TaskRuns } from './TaskRuns'
import { TaskSettings } from './TaskSettings'
import { useWhen } from './useWhen'
import { isPaused } from './where'
import './tasks.css'

const route = getRouteApi('/tasks/$id')

export function TaskPage() {
  const { t } = useTranslation()
  const { id } = route.useParams()
  const { tab } = route.useSearch()
  const admin = useMay('admin')
  const now = useMinute()
  const when = useWhen()
  const query = useTask(Number(id))
  if (query.isPending) return <div className="panel"><Skeleton lines={8} /></div>
  if (!query.data) return <Failure error={query.error} retry={() => query.refetch()} />
  const task = query.data
  const paused = isPaused(task, now)
  return (
    <div className="stack wide">
      <PageHead
        title={task.name}
        crumb={<Crumb to="/tasks">{t('nav.tasks')}</Crumb>}
        beside={<><span className="tag">{t(`source.${task.source.type}`)}</span>{!task.enabled && <Badge tone="idle">{t('tasks.off')}</Badge>}</>}
        lead={(
          <>
            {when(task)}
            {task.enabled && task.nextRunAt && <> · {t('tasks.next')} <Ago at={task.nextRunAt} /></>}
          </>
        )}
        actions={(
          <>
            {admin && <ButtonLink to="/tasks/$id/edit" params={{ id }} icon="edit">{t('edit')}</ButtonLink>}
            <TaskActions task={task} />
          </>
        )}
      />
      {paused && task.pausedUntil && <Note tone="warn"><p>{t('tasks.pausedUntil')} <At at={task.pausedUntil} /></p>{task.pauseReason && <p>{task.pauseReason}</p>}</Note>}
      {task.source.type !== 'file' && <SourceTest task={task} />}
      <Tabs
        tabs={[
          { key: 'runs', name: t('nav.runs'), here: tab === undefined, to: '/tasks/$id', params: { id }, search: {} },
          { key: 'settings', name: t('tasks.tabs.settings'), here: tab === 'settings', to: '/tasks/$id', params: { id }, search: { tab: 'settings' } },
          { key: 'retention', name: t('tasks.tabs.retention'), here: tab === 'retention', to: '/tasks/$id', params: { id }, search: { tab: 'retention' } },
        ]}
      />
      {tab === undefined && <TaskRuns task={task} />}
      {tab === 'settings' && <TaskSettings task={task} />}
      {tab === 'retention' && <TaskRetention task={task} />}
    </div>
  )
}
