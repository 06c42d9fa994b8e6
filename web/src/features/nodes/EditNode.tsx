// A node's name and its labels.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fieldsOf, type Node } from '../../api/client'
import { useNodeActions } from '../../api/nodes'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { Failure } from '../../ui/Failure'
import { TextField } from '../../ui/Field'
import { labelsOf } from './join'

export function EditNode({ node, onClose }: { node: Node & { tag: string }; onClose: () => void }) {
  const { t } = useTranslation()
  const [name, setName] = useState(node.name)
  const [labels, setLabels] = useState(node.labels.join(', '))
  const { edit } = useNodeActions()
  const wrong = fieldsOf(edit.error)
  return (
    <Dialog open onClose={onClose} title={t('nodes.edit')}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); edit.mutate({ id: node.id, tag: node.tag, body: { name, labels: labelsOf(labels) } }, { onSuccess: onClose }) }}>
        <TextField label={t('nodes.name')} value={name} onValue={setName} required wrong={wrong.get('name')} />
        <TextField label={t('nodes.columns.labels')} hint={t('nodes.labelsHint')} value={labels} onValue={setLabels} wrong={wrong.get('labels')} />
        {edit.error && <Failure error={edit.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" look="main" busy={edit.isPending}>{t('save')}</Button>
        </div>
      </form>
    </Dialog>
  )
}
