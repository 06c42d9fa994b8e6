// A task that is changed.
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useTask, useTaskActions } from '../../../api/tasks'
import { Failure } from '../../../ui/Failure'
import { Crumb, PageHead } from '../../../ui/Page'
import { Skeleton } from '../../../ui/Skeleton'
import { draftOf, inputOf } from './draft'
import { TaskForm } from './TaskForm'

const route = getRouteApi('/tasks/$id/edit')

export function EditTask() {
  const { id } = route.useParams()
  const query = useTask(Number(id))
  if (query.isPending) return <div className="panel"><Skeleton lines={8} /></div>
  if (!query.data) return <Failure error={query.error} retry={() => query.refetch()} />
  return <Loaded task={query.data} />
}

function Loaded({ task }: { task: NonNullable<ReturnType<typeof useTask>['data']> }) {
  const { t } = useTranslation()
  const go = useNavigate()
  const { edit } = useTaskActions()
  // As it was read when the form was opened: somebody else's change is told of, not written over.
  const [read] = useState(task)
  const params = { id: String(read.id) }
  return (
    <div className="stack wide">
      <PageHead title={t('form.editTitle', { name: read.name })} crumb={<Crumb to="/tasks/$id" params={params}>{read.name}</Crumb>} />
      <TaskForm start={draftOf(read)} task={read} busy={edit.isPending} error={edit.error} action={t('save')} onSubmit={(draft) => { edit.mutate({ id: read.id, tag: read.tag, body: inputOf(draft, read) }, { onSuccess: () => { void go({ to: '/tasks/$id', params, search: { tab: 'settings' } }) } }) }} />
    </div>
  )
}
