// A new task, or a copy of one.
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useTask, useTaskActions } from '../../../api/tasks'
import { Crumb, PageHead } from '../../../ui/Page'
import { Skeleton } from '../../../ui/Skeleton'
import { draftOf, fresh, inputOf } from './draft'
import { TaskForm } from './TaskForm'

const route = getRouteApi('/tasks/new')

export function NewTask() {
  const { t } = useTranslation()
  const { clone } = route.useSearch()
  return (
    <div className="stack wide">
      <PageHead title={t('tasks.add')} crumb={<Crumb to="/tasks">{t('nav.tasks')}</Crumb>} lead={t('form.lead')} />
      {clone === undefined ? <Fresh /> : <Cloned id={clone} />}
    </div>
  )
}

function Fresh() {
  const { node, target } = route.useSearch()
  const start = fresh(Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC')
  return <Form start={{ ...start, nodeId: node ?? 0, targetIds: target === undefined ? [] : [target] }} />
}

function Cloned({ id }: { id: number }) {
  const { t } = useTranslation()
  const task = useTask(id)
  if (!task.data) return <div className="panel"><Skeleton lines={8} /></div>
  return <Form start={{ ...draftOf(task.data), name: t('tasks.cloneName', { name: task.data.name }) }} />
}

function Form({ start }: { start: ReturnType<typeof fresh> }) {
  const { t } = useTranslation()
  const go = useNavigate()
  const { add } = useTaskActions()
  return <TaskForm start={start} busy={add.isPending} error={add.error} action={t('form.create')} onSubmit={(draft) => { add.mutate(inputOf(draft), { onSuccess: (task) => { void go({ to: '/tasks/$id', params: { id: String(task.id) } }) } }) }} />
}
