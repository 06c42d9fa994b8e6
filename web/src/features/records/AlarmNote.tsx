// What is odd about a run, and a person's word that it is right.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { BackupRecord, Schemas } from '../../api/client'
import { useMay } from '../../api/people'
import { useRecordActions } from '../../api/records'
import { sentence } from '../../lib/format'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { Failure } from '../../ui/Failure'
import { TextField } from '../../ui/Field'
import { Note } from '../../ui/Note'

export function AlarmNote({ record, alarm }: { record: BackupRecord; alarm: Schemas['Alarm'] }) {
  const { t } = useTranslation()
  const admin = useMay('admin')
  const [open, setOpen] = useState(false)
  const [reason, setReason] = useState('')
  const { accept } = useRecordActions(record.id)
  return (
    <Note tone={alarm.accepted ? 'idle' : 'warn'}>
      <p className="strong">{t('records.alarm.title')}</p>
      {alarm.findings.map((finding) => <p key={finding.code}>{sentence(finding.message)}</p>)}
      {alarm.accepted ? <p>{t('records.alarm.accepted', { by: alarm.accepted.by })} {alarm.accepted.reason}</p> : (
        <>
          <p>{t('records.alarm.held')}</p>
          {admin && <div><Button onClick={() => { setOpen(true) }}>{t('records.alarm.accept')}</Button></div>}
        </>
      )}
      <Dialog open={open} onClose={() => { setOpen(false) }} title={t('records.alarm.accept')}>
        <form className="stack" onSubmit={(event) => { event.preventDefault(); accept.mutate({ reason }, { onSuccess: () => { setOpen(false) } }) }}>
          <p className="quiet">{t('records.alarm.lead')}</p>
          <TextField label={t('records.alarm.reason')} value={reason} onValue={setReason} />
          {accept.error && <Failure error={accept.error} />}
          <div className="dialog-actions">
            <Button onClick={() => { setOpen(false) }}>{t('cancel')}</Button>
            <Button type="submit" look="main" busy={accept.isPending}>{t('records.alarm.accept')}</Button>
          </div>
        </form>
      </Dialog>
    </Note>
  )
}
