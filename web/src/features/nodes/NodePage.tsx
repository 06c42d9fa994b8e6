// One node: what it is, what runs on it, its folders, and its token.
import { Link, getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNode, useNodeActions } from '../../api/nodes'
import { useMay } from '../../api/people'
import { useRecent } from '../../api/records'
import { useTasks } from '../../api/tasks'
import { Button, ButtonLink } from '../../ui/Button'
import { CopyLine } from '../../ui/Copy'
import { Confirm, Dialog } from '../../ui/Dialog'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { Menu } from '../../ui/Menu'
import { Note } from '../../ui/Note'
import { Crumb, Fact, Facts, PageHead, Section } from '../../ui/Page'
import { Folder } from '../../ui/PathField'
import { Skeleton } from '../../ui/Skeleton'
import { NodeBadge, StatusBadge } from '../../ui/Status'
import { Ago } from '../../ui/Time'
import { EditNode } from './EditNode'

const route = getRouteApi('/nodes/$id')
type Loaded = NonNullable<ReturnType<typeof useNode>['data']>

export function NodePage() {
  const { id } = route.useParams()
  const query = useNode(Number(id))
  if (query.isPending) return <div className="panel"><Skeleton lines={8} /></div>
  if (!query.data) return <Failure error={query.error} retry={() => query.refetch()} />
  return <Shown key={id} node={query.data} />
}

function Shown({ node }: { node: Loaded }) {
  const { t } = useTranslation()
  const admin = useMay('admin')
  const operator = useMay('operator')
  const runs = useRecent({ nodeId: node.id }, 10).data ?? []
  return (
    <div className="stack wide">
      <PageHead
        title={node.name}
        crumb={<Crumb to="/nodes">{t('nav.nodes')}</Crumb>}
        beside={<><NodeBadge status={node.status} busy={runs.some((run) => run.status === 'running')} />{node.labels.map((label) => <span key={label} className="tag">{label}</span>)}</>}
        lead={node.local ? t('nodes.local') : node.lastSeenAt ? <>{t('nodes.columns.seen')}: <Ago at={node.lastSeenAt} /></> : t('nodes.neverSeen')}
        actions={admin && (
          <>
            <ButtonLink to="/tasks/new" search={{ node: node.id }} icon="plus">{t('tasks.add')}</ButtonLink>
            {!node.local && <NodeActions node={node} />}
          </>
        )}
      />
      {node.status === 'offline' && <Note tone="bad"><p>{t('nodes.offline')}</p></Note>}
      <div className="columns">
        <NodeFacts node={node} />
        <div className="stack">
          <TasksOf nodeId={node.id} />
          <Section title={t('nav.runs')} beside={<Link to="/records" search={{ node: node.id }} className="small">{t('all')}</Link>}>
            {runs.length === 0 ? <p className="quiet">{t('nodes.noRuns')}</p> : (
              <ul className="stack tight">
                {runs.map((run) => <li key={run.id} className="row between"><Link to="/records/$id" params={{ id: String(run.id) }}>{run.taskName} #{run.id}</Link><span className="row"><span className="quiet small"><Ago at={run.createdAt} /></span><StatusBadge status={run.status} /></span></li>)}
              </ul>
            )}
          </Section>
        </div>
      </div>
      {operator && <Browse node={node} />}
    </div>
  )
}

function NodeFacts({ node }: { node: Loaded }) {
  const { t } = useTranslation()
  const { facts } = node
  return (
    <Section title={t('records.facts')}>
      {!facts ? <Empty icon="nodes" title={t('nodes.neverSeen')}>{t('nodes.neverLead')}</Empty> : (
        <Facts>
          <Fact name={t('nodes.columns.host')}>{facts.hostname}</Fact>
          <Fact name={t('nodes.system')}>{facts.os}/{facts.arch}</Fact>
          <Fact name={t('nodes.columns.version')}>{facts.version}</Fact>
          <Fact name={t('nodes.kinds')}>{facts.taskTypes.join(', ')}</Fact>
          {facts.tools.length > 0 && <Fact name={t('nodes.tools')}>{facts.tools.map((tool) => <span key={tool.name} className="block">{tool.name} <span className="quiet">{tool.version}</span></span>)}</Fact>}
          {facts.hooks && facts.hooks.length > 0 && <Fact name={t('nodes.hooks')}>{facts.hooks.join(', ')}</Fact>}
        </Facts>
      )}
    </Section>
  )
}

function TasksOf({ nodeId }: { nodeId: number }) {
  const { t } = useTranslation()
  const tasks = (useTasks().data ?? []).filter((task) => task.nodeId === nodeId)
  return (
    <Section title={t('nav.tasks')}>
      {tasks.length === 0 ? <p className="quiet">{t('nodes.noTasks')}</p> : (
        <ul className="stack tight">{tasks.slice(0, 20).map((task) => <li key={task.id}><Link to="/tasks/$id" params={{ id: String(task.id) }}>{task.name}</Link></li>)}</ul>
      )}
      {tasks.length > 20 && <Link to="/tasks" search={{ node: nodeId }}>{t('tasks.bulk.picked', { count: tasks.length })}</Link>}
    </Section>
  )
}

function Browse({ node }: { node: Loaded }) {
  const { t } = useTranslation()
  const { path } = route.useSearch()
  const go = route.useNavigate()
  const at = (next: string | undefined) => { void go({ search: { path: next }, replace: true }) }
  return (
    <Section title={t('nodes.files')} beside={path !== undefined && <Button look="plain" icon="close" onClick={() => { at(undefined) }}>{t('close')}</Button>}>
      {path === undefined
        ? <div className="row"><Button icon="folder" disabled={node.status !== 'online'} onClick={() => { at('/') }}>{t('nodes.browse')}</Button><span className="quiet small">{t('nodes.browseLead')}</span></div>
        : <Folder nodeId={node.id} path={path} onPath={at} />}
    </Section>
  )
}

function NodeActions({ node }: { node: Loaded }) {
  const { t } = useTranslation()
  const go = useNavigate()
  const [asked, setAsked] = useState<'edit' | 'rotate' | 'remove'>()
  const { rotate, remove } = useNodeActions()
  const close = () => { setAsked(undefined); rotate.reset() }
  const actions = [
    { label: t('nodes.edit'), icon: 'edit', act: () => { setAsked('edit') } },
    { label: t('nodes.rotate.action'), icon: 'key', act: () => { setAsked('rotate') } },
    { label: t('nodes.remove.action'), icon: 'trash', danger: true, act: () => { setAsked('remove') } },
  ] as const
  return (
    <>
      <Menu name={t('actions')} actions={actions} look="button only-icon" />
      {asked === 'edit' && <EditNode node={node} onClose={close} />}
      <Dialog open={asked === 'rotate'} onClose={close} title={t('nodes.rotate.title')}>
        {rotate.data ? (
          <>
            <Note tone="warn"><p>{t('nodes.once')}</p></Note>
            <CopyLine text={rotate.data.token} name={t('nodes.token')} />
          </>
        ) : <p>{t('nodes.rotate.lead')}</p>}
        {rotate.error && <Failure error={rotate.error} />}
        <div className="dialog-actions">
          <Button onClick={close}>{t('close')}</Button>
          {!rotate.data && <Button look="main" busy={rotate.isPending} onClick={() => { rotate.mutate(node.id) }}>{t('nodes.rotate.action')}</Button>}
        </div>
      </Dialog>
      <Confirm open={asked === 'remove'} onClose={close} title={t('nodes.remove.title')} action={t('nodes.remove.action')} typed={node.name} busy={remove.isPending} error={remove.error} onConfirm={() => { remove.mutate(node.id, { onSuccess: () => { void go({ to: '/nodes' }) } }) }}>
        <p>{t('nodes.remove.lead')}</p>
      </Confirm>
    </>
  )
}
