// A first place for backups, with its test.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fieldsOf, type Target } from '../../api/client'
import { useTargetActions } from '../../api/targets'
import { Button, ButtonLink } from '../../ui/Button'
import { Failure } from '../../ui/Failure'
import { Choices, TextField } from '../../ui/Field'
import { Note } from '../../ui/Note'
import { TestSteps } from '../../ui/TestSteps'

export function FirstTarget({ waiting }: { waiting: Target | undefined }) {
  const { t } = useTranslation()
  const [kind, setKind] = useState<'folder' | 'other'>('folder')
  if (waiting) return <Untested target={waiting} />
  return (
    <div className="stack">
      <p className="quiet">{t('start.target.lead')}</p>
      <Choices
        label={t('start.target.pick')}
        value={kind}
        onValue={setKind}
        options={[
          { value: 'folder', label: t('start.target.folder'), hint: t('start.target.folderHint'), icon: 'folder' },
          { value: 'other', label: t('start.target.other'), hint: t('start.target.otherHint'), icon: 'cloud' },
        ]}
      />
      {kind === 'folder' ? <Folder /> : <div><ButtonLink to="/storage/new" search={{ from: 'start' }} look="main">{t('start.target.pick')}</ButtonLink></div>}
    </div>
  )
}

function Folder() {
  const { t } = useTranslation()
  const [name, setName] = useState('local')
  const [path, setPath] = useState('')
  const { add, test } = useTargetActions()
  const wrong = fieldsOf(add.error)
  async function submit() {
    try {
      const target = await add.mutateAsync({ name, type: 'local', config: { path } })
      await test.mutateAsync({ id: target.id })
    } catch {
      // What the master said stands in the form.
    }
  }
  return (
    <form className="stack" onSubmit={(event) => { event.preventDefault(); void submit() }}>
      <div className="field-grid">
        <TextField label={t('start.target.path')} hint={t('start.target.pathHint')} value={path} onValue={setPath} placeholder="/mnt/backup" required wrong={wrong.get('config.path')} />
        <TextField label={t('start.target.name')} value={name} onValue={setName} required wrong={wrong.get('name')} />
      </div>
      {add.error && <Failure error={add.error} />}
      <div><Button type="submit" look="main" busy={add.isPending || test.isPending}>{t('start.target.create')}</Button></div>
    </form>
  )
}

function Untested({ target }: { target: Target }) {
  const { t } = useTranslation()
  const { test } = useTargetActions()
  return (
    <div className="stack">
      <Note tone="warn"><p>{t('start.target.untested', { name: target.name })}</p></Note>
      {target.lastTest?.steps && <TestSteps steps={target.lastTest.steps} />}
      {test.error && <Failure error={test.error} />}
      <div className="row">
        <Button look="main" icon="refresh" busy={test.isPending} onClick={() => { test.mutate({ id: target.id }) }}>{t('storage.test.again')}</Button>
        <ButtonLink to="/storage/$id" params={{ id: String(target.id) }}>{t('edit')}</ButtonLink>
      </div>
    </div>
  )
}
