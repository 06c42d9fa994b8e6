// What is backed up, and from which node.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNodes } from '../../../api/nodes'
import { useTaskActions } from '../../../api/tasks'
import { Button } from '../../../ui/Button'
import { Failure } from '../../../ui/Failure'
import { AreaField, CheckField, Choices, SelectField, TextField } from '../../../ui/Field'
import { PathDialog } from '../../../ui/PathField'
import { TestSteps } from '../../../ui/TestSteps'
import { DatabaseFields } from './DatabaseFields'
import { lines, type Kind } from './draft'
import type { StepProps } from './TaskForm'

const KINDS: readonly Kind[] = ['file', 'postgresql', 'mysql', 'mongodb', 'sqlite', 'saphana']
const PATHS = '/etc\n/srv'
const EXCLUDES = '*.tmp\nnode_modules/'

export function WhatStep({ draft, change, wrong, task }: StepProps) {
  const { t } = useTranslation()
  const nodes = useNodes().data ?? []
  const labels = [...new Set(nodes.flatMap((node) => node.labels))].sort()
  const paths = draft.kind === 'file' || draft.kind === 'sqlite'
  return (
    <>
      <TextField label={t('form.name')} hint={t('form.nameHint')} value={draft.name} onValue={(name) => { change({ name }) }} required wrong={wrong.get('name')} />
      <Choices label={t('form.kind')} value={draft.kind} onValue={(kind) => { change({ kind }) }} options={KINDS.map((value) => ({ value, label: t(`source.${value}`), icon: value === 'file' ? 'folder' as const : 'database' as const }))} />
      <div className="field-grid">
        <SelectField label={t('form.place')} value={draft.place} options={[{ value: 'node', label: t('form.oneNode') }, { value: 'pool', label: t('form.anyOfPool') }]} onValue={(place) => { change({ place }) }} />
        {draft.place === 'node'
          ? <SelectField label={t('form.node')} value={String(draft.nodeId)} options={nodes.map((node) => ({ value: String(node.id), label: node.local ? t('nodes.localName', { name: node.name }) : node.name }))} onValue={(id) => { change({ nodeId: Number(id) }) }} wrong={wrong.get('nodeId')} />
          : <SelectField label={t('form.pool')} hint={t('form.poolHint')} value={draft.pool} options={['', ...labels].map((value) => ({ value, label: value === '' ? t('form.pickLabel') : value }))} onValue={(pool) => { change({ pool }) }} wrong={wrong.get('pool')} />}
      </div>
      {paths ? <Paths draft={draft} change={change} wrong={wrong} task={task} /> : <DatabaseFields draft={draft} change={change} wrong={wrong} task={task} />}
      {task && task.source.type !== 'file' && <SavedTest id={task.id} onFound={(names) => { if (draft.only === '') change({ only: names.join('\n') }) }} />}
    </>
  )
}

function Paths({ draft, change, wrong }: StepProps) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  return (
    <>
      <div className="stack tight">
        <AreaField label={t('form.paths')} hint={t(draft.kind === 'file' ? 'form.pathsHint' : 'form.sqliteHint')} value={draft.paths} onValue={(value) => { change({ paths: value }) }} placeholder={PATHS} wrong={wrong.get('source.paths')} />
        {draft.place === 'node' && <div><Button icon="folder" onClick={() => { setOpen(true) }}>{t('form.browse')}</Button></div>}
        {open && <PathDialog nodeId={draft.nodeId} start={lines(draft.paths).at(-1) ?? '/'} onClose={() => { setOpen(false) }} onPicked={(path) => { change({ paths: [...new Set([...lines(draft.paths), path])].join('\n') }); setOpen(false) }} />}
      </div>
      {draft.kind === 'file' && (
        <>
          <AreaField label={t('form.excludes')} hint={t('form.excludesHint')} value={draft.excludes} onValue={(excludes) => { change({ excludes }) }} placeholder={EXCLUDES} wrong={wrong.get('source.excludes')} />
          <div className="stack tight">
            <CheckField label={t('form.oneFileSystem')} hint={t('form.oneFileSystemHint')} checked={draft.oneFileSystem} onChecked={(oneFileSystem) => { change({ oneFileSystem }) }} />
            <CheckField label={t('form.skipCacheDirs')} hint={t('form.skipCacheDirsHint')} checked={draft.skipCacheDirs} onChecked={(skipCacheDirs) => { change({ skipCacheDirs }) }} />
          </div>
        </>
      )}
    </>
  )
}

/** Tries the source as it is saved, and takes the databases that it found. */
function SavedTest({ id, onFound }: { id: number; onFound: (names: string[]) => void }) {
  const { t } = useTranslation()
  const { test } = useTaskActions()
  const names = test.data?.databases.map((database) => database.name) ?? []
  return (
    <div className="stack tight">
      <div className="row">
        <Button icon="refresh" busy={test.isPending} onClick={() => { test.mutate(id) }}>{t('tasks.test.action')}</Button>
        <span className="quiet small">{t('form.testSaved')}</span>
      </div>
      {test.error && <Failure error={test.error} />}
      {test.data && <TestSteps steps={test.data.steps} />}
      {names.length > 0 && <div className="row">{names.map((name) => <span key={name} className="tag">{name}</span>)}<Button look="plain" onClick={() => { onFound(names) }}>{t('form.takeFound')}</Button></div>}
    </div>
  )
}
