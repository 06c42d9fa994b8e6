// Takes over backups that lie on a target and that this master does not know.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../../api/client'
import { useNodes } from '../../api/nodes'
import { useImport } from '../../api/targets'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { Failure } from '../../ui/Failure'
import { AreaField, SelectField } from '../../ui/Field'
import { Note } from '../../ui/Note'
import { Fact, Facts } from '../../ui/Page'
import { keysIn } from './kit'

export function Import({ target }: { target: Schemas['Target'] }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button icon="restore" onClick={() => { setOpen(true) }}>{t('storage.import.action')}</Button>
      <Dialog open={open} onClose={() => { setOpen(false) }} title={t('storage.import.title')} wide>
        <Asked target={target} onClose={() => { setOpen(false) }} />
      </Dialog>
    </>
  )
}

function Asked({ target, onClose }: { target: Schemas['Target']; onClose: () => void }) {
  const { t } = useTranslation()
  const nodes = useNodes().data ?? []
  const [kit, setKit] = useState('')
  const [node, setNode] = useState('')
  const { run, seen } = useImport(target.id)
  const options = [{ value: '', label: t('storage.import.anyNode') }, ...nodes.map((one) => ({ value: String(one.id), label: one.name }))]
  return (
    <form className="stack" onSubmit={(event) => { event.preventDefault(); run.mutate({ keys: keysIn(kit), nodeId: node === '' ? null : Number(node) }) }}>
      <p>{t('storage.import.lead')}</p>
      {target.reach === 'ownNode' && <SelectField label={t('storage.import.node')} hint={t('storage.import.nodeHint')} value={node} options={options} onValue={setNode} />}
      <AreaField label={t('storage.import.kit')} hint={t('storage.import.kitHint')} value={kit} onValue={setKit} rows={5} />
      {run.isPending && <p role="status" className="quiet">{t('storage.import.busy', { count: seen })}</p>}
      {run.error && <Failure error={run.error} />}
      {run.data && <Done step={run.data} />}
      <div className="dialog-actions">
        <Button onClick={onClose}>{t('close')}</Button>
        <Button type="submit" look="main" busy={run.isPending}>{t('storage.import.start')}</Button>
      </div>
    </form>
  )
}

function Done({ step }: { step: Schemas['ImportStep'] }) {
  const { t } = useTranslation()
  return (
    <div className="stack tight" role="status">
      {step.unknownKeys.length > 0 && <Note tone="warn"><p>{t('storage.import.unknownKeys')}</p></Note>}
      <Facts>
        <Fact name={t('storage.import.records')}>{step.records}</Fact>
        <Fact name={t('storage.import.copies')}>{step.copies}</Fact>
        <Fact name={t('storage.import.known')}>{step.known}</Fact>
        {step.tasks.length > 0 && <Fact name={t('storage.import.tasks')}>{step.tasks.join(', ')}</Fact>}
        {step.nodes.length > 0 && <Fact name={t('storage.import.nodes')}>{step.nodes.join(', ')}</Fact>}
        {step.skipped.length > 0 && <Fact name={t('storage.import.skipped')}>{step.skipped.length}</Fact>}
      </Facts>
      {step.skipped.length > 0 && <ul className="stack tight small quiet">{step.skipped.slice(0, 10).map((one) => <li key={one.location}><code>{one.location}</code> {one.reason}</li>)}</ul>}
    </div>
  )
}
