// New storage: a kind out of the catalogue, its settings, and its test.
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fieldsOf, type TargetType } from '../../api/client'
import { useTargetActions, useTargetTypes } from '../../api/targets'
import { Button, ButtonLink } from '../../ui/Button'
import { Failure } from '../../ui/Failure'
import { TextField } from '../../ui/Field'
import { Note } from '../../ui/Note'
import { Crumb, PageHead, Section } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { TestSteps } from '../../ui/TestSteps'
import { configOf, groupOf, missing, startValues, type Values } from './fields'
import { KindFields, MoreOptions } from './KindFields'
import { KindMark } from './KindMark'
import { KindPicker } from './KindPicker'
import './targets.css'

const route = getRouteApi('/storage/new')

export function NewTarget() {
  const { t } = useTranslation()
  const search = route.useSearch()
  const go = route.useNavigate()
  const types = useTargetTypes()
  const type = types.data?.find((one) => one.type === search.kind)
  return (
    <div className="stack wide">
      <PageHead title={type?.title ?? t('storage.add')} crumb={search.kind === undefined ? <Crumb to="/storage">{t('nav.storage')}</Crumb> : <Crumb to="/storage/new" search={search.from ? { from: search.from } : {}}>{t('storage.otherKind')}</Crumb>} beside={type && <KindMark title={type.title} group={groupOf(type)} />} lead={search.kind === undefined && t('storage.pick')} />
      {search.kind === undefined
        ? <KindPicker query={search.q ?? ''} onQuery={(q) => { void go({ search: (before) => ({ ...before, q: q === '' ? undefined : q }), replace: true }) }} onPick={(kind) => { void go({ search: (before) => ({ ...before, kind, q: undefined }) }) }} />
        : type ? <KindForm key={type.type} type={type} fromStart={search.from === 'start'} /> : <div className="panel"><Skeleton /></div>}
    </div>
  )
}

function KindForm({ type, fromStart }: { type: TargetType; fromStart: boolean }) {
  const { t } = useTranslation()
  const [name, setName] = useState(type.type)
  const [values, setValues] = useState(() => startValues(type))
  const [options, setOptions] = useState<Values>({})
  const { add, edit, test } = useTargetActions()
  const made = add.data
  const wrong = fieldsOf(add.error ?? edit.error)
  const lacks = missing(type, values).length > 0 || name.trim() === ''
  function submit() {
    const config = configOf(type, values, options)
    if (made) {
      // It is there already: what was wrong is changed, and tried again.
      edit.mutate({ id: made.id, tag: `"${edit.data?.version ?? made.version}"`, body: { name, config } }, { onSuccess: () => { test.mutate({ id: made.id }) } })
    } else {
      add.mutate({ name, type: type.type, config }, { onSuccess: (target) => { test.mutate({ id: target.id }) } })
    }
  }
  const busy = add.isPending || edit.isPending || test.isPending
  const error = add.error ?? edit.error
  return (
    <form className="stack wide target-form" onSubmit={(event) => { event.preventDefault(); submit() }}>
      <Section title={t('storage.settings')}>
        <div className="stack">
          {type.driver === 'rclone' && <Note tone="idle"><p>{t('storage.rclone')}</p></Note>}
          <TextField label={t('storage.name')} hint={t('storage.nameHint')} value={name} onValue={setName} required wrong={wrong.get('name')} />
          <KindFields type={type} values={values} onValue={(field, value) => { setValues((before) => ({ ...before, [field]: value })) }} wrong={wrong} />
          {type.options && <MoreOptions options={options} onOptions={setOptions} />}
        </div>
      </Section>
      {error && <Failure error={error} />}
      {(test.data ?? test.error ?? (test.isPending || undefined)) && (
        <Section title={t('storage.test.title')}>
          <div className="stack">
            {test.isPending && <p className="quiet" role="status">{t('storage.test.busy')}</p>}
            {test.error && <Failure error={test.error} />}
            {test.data && <TestSteps steps={test.data.steps} />}
            {test.data && <Note tone={test.data.ok ? 'good' : 'bad'}><p>{t(test.data.ok ? 'storage.test.good' : 'storage.test.bad')}</p></Note>}
          </div>
        </Section>
      )}
      <div className="row">
        {test.data?.ok
          ? <ButtonLink to={fromStart ? '/start' : '/storage'} look="main">{t(fromStart ? 'start.kit.next' : 'storage.done')}</ButtonLink>
          : <Button type="submit" look="main" busy={busy} disabled={lacks}>{t(made ? 'storage.saveAndTest' : 'storage.addAndTest')}</Button>}
        {made && !test.data?.ok && <ButtonLink to="/storage/$id" params={{ id: String(made.id) }}>{t('storage.keep')}</ButtonLink>}
      </div>
    </form>
  )
}
