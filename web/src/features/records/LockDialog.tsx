// Locks a run with a reason: nothing removes it until somebody unlocks it.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { BackupRecord } from '../../api/client'
import { useRecordActions } from '../../api/records'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { Failure } from '../../ui/Failure'
import { TextField } from '../../ui/Field'

export function LockDialog({ record, open, onClose }: { record: BackupRecord; open: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  const [reason, setReason] = useState('')
  const { lock } = useRecordActions(record.id)
  return (
    <Dialog open={open} onClose={onClose} title={t('records.lock.title')}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); lock.mutate({ reason }, { onSuccess: onClose }) }}>
        <p className="quiet">{t('records.lock.lead')}</p>
        <TextField label={t('records.lock.reason')} value={reason} onValue={setReason} required />
        {lock.error && <Failure error={lock.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" look="main" icon="lock" busy={lock.isPending}>{t('records.lock.action')}</Button>
        </div>
      </form>
    </Dialog>
  )
}
