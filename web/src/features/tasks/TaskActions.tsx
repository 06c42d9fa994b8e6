// What can be done with a task: run it, let it rest, copy it, remove it.
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Task } from '../../api/client'
import { useMay } from '../../api/people'
import { useTaskActions } from '../../api/tasks'
import { Button } from '../../ui/Button'
import { Confirm, Dialog } from '../../ui/Dialog'
import { Failure, useReason } from '../../ui/Failure'
import { TextField } from '../../ui/Field'
import { Menu, type Action } from '../../ui/Menu'
import { say } from '../../ui/Toasts'

export function TaskActions({ task }: { task: Task }) {
  const { t } = useTranslation()
  const go = useNavigate()
  const reason = useReason()
  const admin = useMay('admin')
  const operator = useMay('operator')
  const [asked, setAsked] = useState<'pause' | 'remove'>()
  const { run, enable, disable, remove } = useTaskActions()
  const close = () => { setAsked(undefined) }
  const refuse = (error: Error) => { say(reason(error)) }
  if (!operator) return null
  const actions: Action[] = []
  if (task.enabled && !task.pausedUntil) {
    actions.push({ label: t('tasks.pause.action'), icon: 'pause', act: () => { setAsked('pause') } })
    actions.push({ label: t('tasks.disable'), icon: 'close', act: () => { disable.mutate({ id: task.id }, { onError: refuse }) } })
  } else {
    actions.push({ label: t('tasks.enable'), icon: 'check', act: () => { enable.mutate(task.id, { onError: refuse }) } })
  }
  if (admin) {
    actions.push({ label: t('tasks.clone'), icon: 'copy', act: () => { void go({ to: '/tasks/new', search: { clone: task.id } }) } })
    actions.push({ label: t('tasks.remove.action'), icon: 'trash', danger: true, act: () => { setAsked('remove') } })
  }
  return (
    <>
      <Button look="main" icon="play" busy={run.isPending} onClick={() => { run.mutate(task.id, { onSuccess: (record) => { void go({ to: '/records/$id', params: { id: String(record.id) } }) }, onError: refuse }) }}>{t('tasks.run')}</Button>
      <Menu name={t('actions')} actions={actions} look="button only-icon" />
      <PauseDialog task={task} open={asked === 'pause'} onClose={close} />
      <Confirm open={asked === 'remove'} onClose={close} title={t('tasks.remove.title')} action={t('tasks.remove.action')} typed={task.name} busy={remove.isPending} error={remove.error} onConfirm={() => { remove.mutate(task.id, { onSuccess: () => { void go({ to: '/tasks' }) } }) }}>
        <p>{t('tasks.remove.lead')}</p>
      </Confirm>
    </>
  )
}

const DAY_MS = 86_400_000

/** An instant as an input for local time takes it. */
function local(at: number): string {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

function PauseDialog({ task, open, onClose }: { task: Task; open: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  const [until, setUntil] = useState(() => local(Date.now() + DAY_MS))
  const [why, setWhy] = useState('')
  const { disable } = useTaskActions()
  return (
    <Dialog open={open} onClose={onClose} title={t('tasks.pause.title')}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); disable.mutate({ id: task.id, body: { until: new Date(until).toISOString(), ...(why !== '' && { reason: why }) } }, { onSuccess: onClose }) }}>
        <p className="quiet">{t('tasks.pause.lead')}</p>
        <TextField label={t('tasks.pause.until')} type="datetime-local" value={until} onValue={setUntil} required />
        <TextField label={t('tasks.pause.reason')} value={why} onValue={setWhy} />
        {disable.error && <Failure error={disable.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" look="main" icon="pause" busy={disable.isPending}>{t('tasks.pause.action')}</Button>
        </div>
      </form>
    </Dialog>
  )
}
