// What comes back, to where, and over what; tried first, then done.
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fieldsOf, type BackupRecord } from '../../api/client'
import { useNodes } from '../../api/nodes'
import { isDone, useOperation, useOperationActions } from '../../api/operations'
import { listed, sentence } from '../../lib/format'
import { Button, IconButton } from '../../ui/Button'
import { Confirm } from '../../ui/Dialog'
import { Failure } from '../../ui/Failure'
import { CheckField, Choices, SelectField, TextField } from '../../ui/Field'
import { FileTree } from '../../ui/files/FileTree'
import { Moving } from '../../ui/Moving'
import { Section } from '../../ui/Page'
import { PathField } from '../../ui/PathField'
import { Note } from '../../ui/Note'
import { databasesOf, fresh, request, type Wanted } from './request'
import { Restored } from './Report'

const OVERWRITE = ['if-changed', 'never', 'always'] as const

export function RestoreForm({ record }: { record: BackupRecord }) {
  const { t } = useTranslation()
  const go = useNavigate()
  const [wanted, setWanted] = useState<Wanted>(() => fresh(record))
  const [tried, setTried] = useState<number>()
  const [asked, setAsked] = useState(false)
  const { restore } = useOperationActions()
  const databases = databasesOf(record)
  const change = (part: Partial<Wanted>) => { setWanted({ ...wanted, ...part }); setTried(undefined) }
  const wrong = fieldsOf(restore.error)
  const nothing = wanted.scope === 'some' && wanted.picked.size === 0
  const intoServer = wanted.place === 'original' && databases.length > 0
  const destructive = intoServer ? wanted.overwrite === 'always' : wanted.place === 'original' && wanted.overwrite !== 'never'
  const doIt = () => { restore.mutate(request(record, wanted, false), { onSuccess: (operation) => { void go({ to: '/operations/$id', params: { id: String(operation.id) } }) } }) }
  const tryIt = () => { restore.mutate(request(record, wanted, true), { onSuccess: (operation) => { setTried(operation.id) } }) }

  return (
    <>
      <Section title={t('restores.step.what')} bare>
        <div className="section-body stack">
          <Choices label={t('restores.what')} value={wanted.scope} onValue={(scope) => { change({ scope }) }} options={[{ value: 'all', label: t('restores.scope.all'), hint: t('restores.scope.allHint'), icon: 'storage' }, { value: 'some', label: t(databases.length > 0 ? 'restores.scope.databases' : 'restores.scope.some'), hint: t('restores.scope.someHint'), icon: databases.length > 0 ? 'database' : 'file' }]} />
          {wanted.scope === 'some' && databases.length > 0 && (
            <fieldset className="stack tight">
              <legend className="unseen">{t('restores.scope.databases')}</legend>
              {databases.map((name) => <CheckField key={name} label={name} checked={wanted.picked.has(name)} onChecked={(on) => { change({ picked: toggled(wanted.picked, name, on) }) }} />)}
            </fieldset>
          )}
        </div>
        {wanted.scope === 'some' && databases.length === 0 && (
          <div className="basket-columns">
            <FileTree recordId={record.id} picking={{ picked: wanted.picked, onPick: (path, on) => { change({ picked: toggled(wanted.picked, path, on) }) } }} />
            <Basket picked={wanted.picked} onRemove={(path) => { change({ picked: toggled(wanted.picked, path, false) }) }} />
          </div>
        )}
      </Section>
      <Section title={t('restores.step.where')}>
        <div className="stack">
          <Choices
            label={t('restores.where')}
            value={wanted.place}
            onValue={(place) => { change({ place }) }}
            options={[
              { value: 'folder', label: t('restores.to.folder'), hint: t('restores.to.folderHint'), icon: 'folder' },
              { value: 'original', label: t(databases.length > 0 ? 'restores.to.server' : 'restores.to.original'), hint: t(databases.length > 0 ? 'restores.to.serverHint' : 'restores.to.originalHint'), icon: 'restore' },
            ]}
          />
          <div className="field-grid">
            <NodeField value={wanted.nodeId} onValue={(nodeId) => { change({ nodeId }) }} />
            {wanted.place === 'folder' && <PathField nodeId={wanted.nodeId} label={t('restores.folder')} hint={t('restores.folderHint')} value={wanted.to} onValue={(to) => { change({ to }) }} wrong={wrong.get('to')} />}
            {intoServer && <TextField label={t('restores.rename')} hint={t('restores.renameHint')} value={wanted.rename} onValue={(rename) => { change({ rename }) }} wrong={wrong.get('database.rename')} />}
            {intoServer && <SelectField label={t('restores.database.label')} value={wanted.overwrite === 'always' ? 'always' : 'if-changed'} options={(['if-changed', 'always'] as const).map((value) => ({ value, label: t(`restores.database.${value}`) }))} onValue={(overwrite) => { change({ overwrite }) }} />}
            {!intoServer && <SelectField label={t('restores.overwriteLabel')} hint={t(`restores.overwriteHint.${wanted.overwrite}`)} value={wanted.overwrite} options={OVERWRITE.map((value) => ({ value, label: t(`restores.overwrite.${value}`) }))} onValue={(overwrite) => { change({ overwrite }) }} />}
          </div>
          {restore.error && <Failure error={restore.error} />}
          <div className="row">
            <Button icon="search" busy={restore.isPending} disabled={nothing || (wanted.place === 'folder' && wanted.to === '')} onClick={tryIt}>{t('restores.try')}</Button>
            <Button look="main" icon="restore" busy={restore.isPending} disabled={nothing || (wanted.place === 'folder' && wanted.to === '')} onClick={() => { if (destructive) setAsked(true); else doIt() }}>{t('restores.start')}</Button>
            {nothing && <span className="quiet small">{t('restores.pickSomething')}</span>}
          </div>
        </div>
      </Section>
      {tried !== undefined && <Trial id={tried} />}
      <Confirm open={asked} onClose={() => { setAsked(false) }} title={t('restores.confirm.title')} action={t('restores.start')} typed={record.taskName} busy={restore.isPending} error={restore.error} onConfirm={doIt}>
        <p>{t('restores.confirm.lead', { node: record.nodeName ?? '', what: wanted.scope === 'all' ? t('everything') : listed([...wanted.picked].slice(0, 5)) })}</p>
      </Confirm>
    </>
  )
}

function toggled(picked: ReadonlySet<string>, path: string, on: boolean): ReadonlySet<string> {
  const next = new Set(picked)
  if (on) next.add(path)
  else next.delete(path)
  return next
}

function Basket({ picked, onRemove }: { picked: ReadonlySet<string>; onRemove: (path: string) => void }) {
  const { t } = useTranslation()
  return (
    <aside className="basket" aria-label={t('restores.basket', { count: picked.size })}>
      <h3>{t('restores.basket', { count: picked.size })}</h3>
      {picked.size === 0 ? <p className="quiet small">{t('restores.basketEmpty')}</p> : (
        <ul className="stack tight">
          {[...picked].map((path) => <li key={path} className="row between basket-line"><code className="grow">{path}</code><IconButton icon="close" name={t('restores.unpick', { name: path })} onClick={() => { onRemove(path) }} /></li>)}
        </ul>
      )}
    </aside>
  )
}

function NodeField({ value, onValue }: { value: number; onValue: (id: number) => void }) {
  const { t } = useTranslation()
  const nodes = useNodes().data ?? []
  return <SelectField label={t('restores.node')} value={String(value)} options={nodes.map((node) => ({ value: String(node.id), label: node.status === 'offline' ? t('restores.offline', { name: node.name }) : node.name }))} onValue={(id) => { onValue(Number(id)) }} />
}

function Trial({ id }: { id: number }) {
  const { t } = useTranslation()
  const operation = useOperation(id)
  if (!operation.data) return null
  const { data } = operation
  if (!isDone(data)) return <Section title={t('restores.trying')}><Moving progress={data.progress} startedAt={data.startedAt} queued={data.status === 'queued'} stopping={false} name={t('restores.dryRun')} /></Section>
  if (data.error) return <Note tone="bad" role="alert"><p>{sentence(data.error.message)}</p></Note>
  return data.report?.type === 'restore' ? <Restored report={data.report} dryRun /> : null
}
