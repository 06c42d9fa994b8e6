// "What did you lose?": the task, the moment, the files, the place; and what would change before anything does.
import { getRouteApi } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { BackupRecord } from '../../api/client'
import { useMay } from '../../api/people'
import { hasCopy, useRecord, useRecords } from '../../api/records'
import { useTasks } from '../../api/tasks'
import { ButtonLink } from '../../ui/Button'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { SelectField } from '../../ui/Field'
import { PageHead, Section } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { Moment } from './Moment'
import { RecentRestores } from './RecentRestores'
import { RestoreForm } from './RestoreForm'
import './restores.css'

const route = getRouteApi('/restore')

export function RestorePage() {
  const { t } = useTranslation()
  const search = route.useSearch()
  const go = route.useNavigate()
  const operator = useMay('operator')
  const tasks = useTasks()
  const named = useRecord(search.record ?? 0, search.record !== undefined)
  const taskId = search.task ?? named.data?.taskId
  if (tasks.isError && !tasks.data) return <Failure error={tasks.error} retry={() => tasks.refetch()} />
  const known = tasks.data ?? []
  const options = [
    { value: '', label: t('restores.pickTask') },
    ...known.map((task) => ({ value: String(task.id), label: task.name })),
    // A task that is gone leaves its runs behind.
    ...(named.data && !known.some((task) => task.id === named.data.taskId) ? [{ value: String(named.data.taskId), label: named.data.taskName }] : []),
  ]
  return (
    <div className="stack wide">
      <PageHead title={t('restores.title')} lead={t('restores.lead')} />
      {!operator && <div className="panel"><Empty icon="lock" title={t('restores.forbidden')}>{t('errors.next.forbidden')}</Empty></div>}
      {operator && tasks.isPending && <div className="panel"><Skeleton /></div>}
      {operator && tasks.data && (
        <>
          <Section title={t('restores.step.task')}>
            {known.length === 0 && taskId === undefined
              ? <Empty icon="restore" title={t('restores.nothing.title')} action={<ButtonLink to="/start">{t('overview.empty.action')}</ButtonLink>}>{t('restores.nothing.lead')}</Empty>
              : <SelectField label={t('restores.task')} value={String(taskId ?? '')} options={options} onValue={(id) => { void go({ search: id === '' ? {} : { task: Number(id) }, replace: true }) }} />}
          </Section>
          {taskId !== undefined && <Moments key={taskId} taskId={taskId} record={search.record} named={named.data} />}
          <RecentRestores />
        </>
      )}
    </div>
  )
}

function Moments({ taskId, record, named }: { taskId: number; record: number | undefined; named: BackupRecord | undefined }) {
  const { t } = useTranslation()
  const go = route.useNavigate()
  const records = useRecords({ taskId })
  if (records.isPending) return <div className="panel"><Skeleton /></div>
  if (records.isError) return <Failure error={records.error} retry={() => records.refetch()} />
  const good = records.data.pages.flatMap((page) => page.items).filter(hasCopy)
  if (named && hasCopy(named) && !good.some((one) => one.id === named.id)) good.push(named)
  const chosen = good.find((one) => one.id === record) ?? good[0]
  if (!chosen) return <div className="panel"><Empty icon="restore" title={t('restores.noCopy.title')}>{t('restores.noCopy.lead')}</Empty></div>
  return (
    <>
      <Section title={t('restores.step.moment')}>
        <Moment records={good} chosen={chosen} onChosen={(id) => { void go({ search: { task: taskId, record: id }, replace: true }) }} older={records.hasNextPage ? () => { void records.fetchNextPage() } : undefined} />
      </Section>
      <RestoreForm key={chosen.id} record={chosen} />
    </>
  )
}
