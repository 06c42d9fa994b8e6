// One place for copies: how it does, what lies on it, who writes to it, and its settings.
import { Link, getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fieldsOf, type TargetType } from '../../api/client'
import { useMay } from '../../api/people'
import { useTarget, useTargetActions, useTargetTypes, useUsage } from '../../api/targets'
import { useTasks } from '../../api/tasks'
import { bytes, sentence } from '../../lib/format'
import { Badge } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { Confirm } from '../../ui/Dialog'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { TextField } from '../../ui/Field'
import { Menu } from '../../ui/Menu'
import { Crumb, Fact, Facts, PageHead, Section } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { TestSteps } from '../../ui/TestSteps'
import { Ago } from '../../ui/Time'
import { changesOf, groupOf, labelOf, missing, startValues, type Values } from './fields'
import { Check } from './Check'
import { KindFields, MoreOptions } from './KindFields'
import { KindMark } from './KindMark'
import './targets.css'

const route = getRouteApi('/storage/$id')
type Loaded = NonNullable<ReturnType<typeof useTarget>['data']>

export function TargetPage() {
  const { id } = route.useParams()
  const query = useTarget(Number(id))
  const types = useTargetTypes()
  if (query.isError && !query.data) return <Failure error={query.error} retry={() => query.refetch()} />
  const type = types.data?.find((one) => one.type === query.data?.type)
  if (!query.data || !type) return <div className="panel"><Skeleton lines={8} /></div>
  return <Shown key={id} target={query.data} type={type} />
}

function Shown({ target, type }: { target: Loaded; type: TargetType }) {
  const { t } = useTranslation()
  const admin = useMay('admin')
  const [editing, setEditing] = useState(false)
  const usage = useUsage(target.id).data
  const test = target.lastTest
  return (
    <div className="stack wide">
      <PageHead
        title={target.name}
        crumb={<Crumb to="/storage">{t('nav.storage')}</Crumb>}
        beside={<><KindMark title={type.title} group={groupOf(type)} /><Badge tone={test ? (test.ok ? 'good' : 'bad') : 'idle'}>{t(test ? (test.ok ? 'storage.healthy' : 'storage.sick') : 'storage.untested')}</Badge></>}
        lead={type.title}
        actions={admin && (
          <>
            {!editing && <Button icon="edit" onClick={() => { setEditing(true) }}>{t('edit')}</Button>}
            <Actions target={target} />
          </>
        )}
      />
      {editing ? <Edit target={target} type={type} onDone={() => { setEditing(false) }} /> : (
        <div className="columns">
          <Section title={t('storage.settings')}>
            <Facts>
              {Object.entries(target.config).map(([name, value]) => <Fact key={name} name={labelOf(name)}><code>{value}</code></Fact>)}
              {target.secretsSet.map((name) => <Fact key={name} name={labelOf(name)}><span className="quiet">{t('storage.secretSet')}</span></Fact>)}
              <Fact name={t('storage.reach')}>{t(`storage.reaches.${target.reach}`)}</Fact>
            </Facts>
          </Section>
          <div className="stack">
            <Section title={t('storage.usage')}>
              {usage ? <div className="target-figure"><span className="target-size">{bytes(usage.storedBytes)}</span><span className="quiet">{t('storage.copies', { count: usage.copies })}</span></div> : <span className="bone" />}
            </Section>
            <Writers id={target.id} />
          </div>
        </div>
      )}
      <Check target={target} />
      <Test target={target} />
    </div>
  )
}

function Test({ target }: { target: Loaded }) {
  const { t } = useTranslation()
  const operator = useMay('operator')
  const { test } = useTargetActions()
  const last = target.lastTest
  return (
    <Section title={t('storage.test.title')} beside={operator && <Button icon="refresh" busy={test.isPending} onClick={() => { test.mutate({ id: target.id }) }}>{t('storage.test.action')}</Button>}>
      {test.error && <Failure error={test.error} />}
      {test.isPending ? <p className="quiet" role="status">{t('storage.test.busy')}</p> : last ? (
        <div className="stack">
          <p className={last.ok ? 'tone-text-good' : 'tone-text-bad'}>{sentence(last.message)} <span className="quiet small"><Ago at={last.at} /></span></p>
          {last.steps && <TestSteps steps={last.steps} />}
        </div>
      ) : <p className="quiet">{t('storage.neverTested')}</p>}
    </Section>
  )
}

function Writers({ id }: { id: number }) {
  const { t } = useTranslation()
  const tasks = (useTasks().data ?? []).filter((task) => task.targetIds.includes(id))
  return (
    <Section title={t('storage.writers')}>
      {tasks.length === 0 ? <Empty icon="tasks" title={t('storage.noWriters')} /> : <ul className="stack tight">{tasks.slice(0, 15).map((task) => <li key={task.id}><Link to="/tasks/$id" params={{ id: String(task.id) }}>{task.name}</Link></li>)}</ul>}
      {tasks.length > 15 && <Link to="/tasks" search={{ target: id }}>{t('tasks.bulk.picked', { count: tasks.length })}</Link>}
    </Section>
  )
}

function Edit({ target, type, onDone }: { target: Loaded; type: TargetType; onDone: () => void }) {
  const { t } = useTranslation()
  // As it was read when the form was opened.
  const [read] = useState(target)
  const [name, setName] = useState(read.name)
  const [values, setValues] = useState(() => startValues(type, read))
  const [options, setOptions] = useState<Values>({})
  const { edit, test } = useTargetActions()
  const wrong = fieldsOf(edit.error)
  function submit() {
    edit.mutate({ id: read.id, tag: read.tag, body: { name, config: { ...changesOf(type, values, read), ...options } } }, { onSuccess: () => { test.mutate({ id: read.id }); onDone() } })
  }
  return (
    <form className="stack" onSubmit={(event) => { event.preventDefault(); submit() }}>
      <Section title={t('storage.settings')}>
        <div className="stack">
          <TextField label={t('storage.name')} value={name} onValue={setName} required wrong={wrong.get('name')} />
          <KindFields type={type} values={values} onValue={(field, value) => { setValues((before) => ({ ...before, [field]: value })) }} wrong={wrong} target={read} />
          {type.options && <MoreOptions options={options} onOptions={setOptions} />}
          {edit.error && <Failure error={edit.error} />}
          <div className="row">
            <Button type="submit" look="main" busy={edit.isPending} disabled={missing(type, values, read).length > 0}>{t('storage.saveAndTest')}</Button>
            <Button onClick={onDone}>{t('cancel')}</Button>
          </div>
        </div>
      </Section>
    </form>
  )
}

function Actions({ target }: { target: Loaded }) {
  const { t } = useTranslation()
  const go = useNavigate()
  const [asked, setAsked] = useState(false)
  const { remove } = useTargetActions()
  return (
    <>
      <Menu name={t('actions')} look="button only-icon" actions={[{ label: t('storage.remove.action'), icon: 'trash', danger: true, act: () => { setAsked(true) } }]} />
      <Confirm open={asked} onClose={() => { setAsked(false) }} title={t('storage.remove.title')} action={t('storage.remove.action')} typed={target.name} busy={remove.isPending} error={remove.error} onConfirm={() => { remove.mutate(target.id, { onSuccess: () => { void go({ to: '/storage' }) } }) }}>
        <p>{t('storage.remove.lead')}</p>
      </Confirm>
    </>
  )
}
