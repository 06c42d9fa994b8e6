// How deep a run is to be proven.
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { BackupRecord } from '../../api/client'
import { useRecordActions } from '../../api/records'
import { Button } from '../../ui/Button'
import { Dialog } from '../../ui/Dialog'
import { Failure } from '../../ui/Failure'
import { Choices } from '../../ui/Field'

const MODES = ['quick', 'full', 'drill'] as const

export function VerifyDialog({ record, open, onClose }: { record: BackupRecord; open: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  const go = useNavigate()
  const [mode, setMode] = useState<(typeof MODES)[number]>('quick')
  const { verify } = useRecordActions(record.id)
  function start() {
    verify.mutate({ mode }, { onSuccess: (operation) => { void go({ to: '/operations/$id', params: { id: String(operation.id) } }) } })
  }
  return (
    <Dialog open={open} onClose={onClose} title={t('records.verify.title')}>
      <Choices label={t('records.verify.mode')} value={mode} onValue={setMode} options={MODES.map((value) => ({ value, label: t(`records.verify.modes.${value}`), hint: t(`records.verify.hints.${value}`) }))} />
      {verify.error && <Failure error={verify.error} />}
      <div className="dialog-actions">
        <Button onClick={onClose}>{t('cancel')}</Button>
        <Button look="main" icon="shield" busy={verify.isPending} onClick={start}>{t('records.verify.start')}</Button>
      </div>
    </Dialog>
  )
}
