// What a task does, as it is set.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Task } from '../../api/client'
import { useNodeNames } from '../../api/nodes'
import { useTargetNames } from '../../api/targets'
import { useNextRuns, useTasks } from '../../api/tasks'
import { instantIn, span } from '../../lib/format'
import { useSentence } from '../../lib/useSentence'
import { Fact, Facts, Section } from '../../ui/Page'
import { useWhen } from './useWhen'
import { readsOf } from './where'

export function TaskSettings({ task }: { task: Task }) {
  const { t } = useTranslation()
  const node = useNodeNames()
  const target = useTargetNames()
  const sentence = useSentence()
  const when = useWhen()
  const { source } = task
  const server = source.type === 'file' || source.type === 'sqlite' ? undefined : source.server
  const reads = readsOf(source)
  return (
    <div className="columns">
      <Section title={t('form.step.what')}>
        <Facts>
          <Fact name={t('tasks.columns.from')}>{typeof task.nodeId === 'number' ? <Link to="/nodes/$id" params={{ id: String(task.nodeId) }}>{node(task.nodeId) ?? `#${task.nodeId}`}</Link> : t('tasks.pool', { pool: task.pool })}</Fact>
          {server && <Fact name={t('form.server')}>{[server.host ?? server.socket ?? t('form.localServer'), server.port].filter(Boolean).join(':')}</Fact>}
          {server?.user && <Fact name={t('form.user')}>{server.user}</Fact>}
          <Fact name={t(source.type === 'file' || source.type === 'sqlite' ? 'form.paths' : 'form.databases')}>{reads.length === 0 ? t('form.allDatabases') : reads.map((path) => <code key={path} className="block">{path}</code>)}</Fact>
          {source.type === 'file' && (source.excludes?.length ?? 0) > 0 && <Fact name={t('form.excludes')}>{source.excludes?.map((path) => <code key={path} className="block">{path}</code>)}</Fact>}
          {task.secretsSet && task.secretsSet.length > 0 && <Fact name={t('form.secrets')}>{task.secretsSet.join(', ')}</Fact>}
          <Fact name={t('tasks.columns.to')}>{task.targetIds.map((id) => <Link key={id} to="/storage/$id" params={{ id: String(id) }} className="block">{target(id)}</Link>)}</Fact>
          <Fact name={t('form.encrypt')}>{task.encrypt ? t('yes') : t('no')}</Fact>
          <Fact name={t('form.compression')}>{task.compression}</Fact>
          {task.timeLimitSecs != null && <Fact name={t('form.timeLimit')}>{span(task.timeLimitSecs)}</Fact>}
        </Facts>
      </Section>
      <div className="stack">
        <Section title={t('form.step.when')}>
          <div className="stack">
            <p>{when(task)}</p>
            {task.schedule && <Next task={task} zone={task.schedule.timezone ?? 'UTC'} />}
            <Chain task={task} />
          </div>
        </Section>
        <Section title={t('form.step.keep')}><Keeps retention={task.retention} /></Section>
        {task.verify.length > 0 && (
          <Section title={t('form.verify')}>
            <ul className="stack tight">{task.verify.map((plan) => <li key={`${plan.mode} ${plan.cron}`}>{t(`operations.verify.${plan.mode}`)}: {sentence(plan.cron, plan.timezone)}</li>)}</ul>
          </Section>
        )}
      </div>
    </div>
  )
}

function Next({ task, zone }: { task: Task; zone: string }) {
  const { t } = useTranslation()
  const runs = useNextRuns(task.id, task.version).data ?? []
  if (runs.length === 0) return null
  return (
    <div>
      <p className="quiet small">{t('schedule.next')}</p>
      <ol className="stack tight">{runs.map((at) => <li key={at}>{instantIn(at, zone)}</li>)}</ol>
    </div>
  )
}

/** The tasks that it waits for, and those that wait for it. */
function Chain({ task }: { task: Task }) {
  const { t } = useTranslation()
  const tasks = useTasks().data ?? []
  const before = tasks.filter((one) => task.after?.taskIds.includes(one.id))
  const behind = tasks.filter((one) => one.after?.taskIds.includes(task.id))
  if (before.length === 0 && behind.length === 0) return null
  const link = (one: Task) => <Link key={one.id} to="/tasks/$id" params={{ id: String(one.id) }} className="chain-task">{one.name}</Link>
  return (
    <figure className="chain" aria-label={t('tasks.chain')}>
      {before.length > 0 && <div className="stack tight">{before.map(link)}</div>}
      {before.length > 0 && <span aria-hidden="true">→</span>}
      <span className="chain-task here">{task.name}</span>
      {behind.length > 0 && <span aria-hidden="true">→</span>}
      {behind.length > 0 && <div className="stack tight">{behind.map(link)}</div>}
    </figure>
  )
}

const RULES = ['keepLast', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly'] as const

function Keeps({ retention }: { retention: Task['retention'] }) {
  const { t } = useTranslation()
  const set = RULES.filter((rule) => (retention[rule] ?? 0) > 0)
  if (set.length === 0) return <p>{t('retention.everything')}</p>
  return <ul className="stack tight">{set.map((rule) => <li key={rule}>{t(`retention.says.${rule}`, { count: retention[rule] ?? 0 })}</li>)}</ul>
}
