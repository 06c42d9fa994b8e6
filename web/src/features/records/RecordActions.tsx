// What can be done with a run: stop it, complete it, prove it, lock it, take it along, remove it.
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { address, type BackupRecord } from '../../api/client'
import { useMay } from '../../api/people'
import { hasCopy, isOver, stateOf, useRecordActions } from '../../api/records'
import { Button } from '../../ui/Button'
import { Confirm } from '../../ui/Dialog'
import { Menu, type Action } from '../../ui/Menu'
import { say } from '../../ui/Toasts'
import { useReason } from '../../ui/Failure'
import { LockDialog } from './LockDialog'
import { VerifyDialog } from './VerifyDialog'

type Asked = 'cancel' | 'verify' | 'lock' | 'remove'

export function RecordActions({ record }: { record: BackupRecord }) {
  const { t } = useTranslation()
  const [asked, setAsked] = useState<Asked>()
  const operator = useMay('operator')
  const admin = useMay('admin')
  const actions = useRecordActions(record.id)
  const reason = useReason()
  const go = useNavigate()
  const over = isOver(record)
  const good = hasCopy(record)
  const close = () => { setAsked(undefined) }
  const missing = record.copies.some((copy) => ['failed', 'lost'].includes(stateOf(copy)))
  const refuse = (error: Error) => { say(reason(error)) }

  if (!operator) return null
  if (!over) {
    return (
      <>
        <Button look="danger" icon="close" disabled={Boolean(record.cancelRequestedAt)} onClick={() => { setAsked('cancel') }}>{record.cancelRequestedAt ? t('progress.stopping') : t('records.cancel.action')}</Button>
        <Confirm open={asked === 'cancel'} onClose={close} title={t('records.cancel.title')} action={t('records.cancel.action')} busy={actions.cancel.isPending} error={actions.cancel.error} onConfirm={() => { actions.cancel.mutate(undefined, { onSuccess: close }) }}>
          <p>{t('records.cancel.lead')}</p>
        </Confirm>
      </>
    )
  }
  const list: Action[] = []
  if (good) list.push({ label: t('records.verify.action'), icon: 'shield', act: () => { setAsked('verify') } })
  if (good) list.push({ label: t('records.download'), icon: 'download', act: () => { location.assign(address(`/api/v1/records/${record.id}/download`)) } })
  if (good && !record.locked) list.push({ label: t('records.lock.action'), icon: 'lock', act: () => { setAsked('lock') } })
  if (record.locked && admin) list.push({ label: t('records.unlock'), icon: 'unlock', act: () => { actions.unlock.mutate(undefined, { onError: refuse }) } })
  if (admin) list.push({ label: t('records.remove.action'), icon: 'trash', danger: true, act: () => { setAsked('remove') } })
  return (
    <>
      {good && missing && <Button icon="refresh" busy={actions.retry.isPending} onClick={() => { actions.retry.mutate(undefined, { onSuccess: (operation) => { void go({ to: '/operations/$id', params: { id: String(operation.id) } }) }, onError: refuse }) }}>{t('records.retry')}</Button>}
      {list.length > 0 && <Menu name={t('actions')} actions={list} look="button only-icon" />}
      <VerifyDialog record={record} open={asked === 'verify'} onClose={close} />
      <LockDialog record={record} open={asked === 'lock'} onClose={close} />
      <Confirm open={asked === 'remove'} onClose={close} title={t('records.remove.title')} action={t('records.remove.action')} typed={record.taskName} busy={actions.remove.isPending} error={actions.remove.error} onConfirm={() => { actions.remove.mutate(undefined, { onSuccess: () => { close(); say(t('records.remove.queued')) } }) }}>
        <p>{t('records.remove.lead', { count: record.copies.filter((copy) => copy.status === 'good').length })}</p>
      </Confirm>
    </>
  )
}
