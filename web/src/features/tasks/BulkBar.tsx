// What can be done with several tasks at once.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Task } from '../../api/client'
import { useTaskActions } from '../../api/tasks'
import { listed } from '../../lib/format'
import { Button } from '../../ui/Button'
import { say } from '../../ui/Toasts'

export function BulkBar({ tasks, onDone }: { tasks: readonly Task[]; onDone: () => void }) {
  const { t } = useTranslation()
  const { run, enable, disable } = useTaskActions()
  const [busy, setBusy] = useState(false)
  async function each(act: (task: Task) => Promise<unknown>, told: (count: number) => string) {
    setBusy(true)
    // One after another: a master is not flooded by a click.
    const refused: string[] = []
    for (const task of tasks) {
      try {
        await act(task)
      } catch {
        refused.push(task.name)
      }
    }
    setBusy(false)
    say(refused.length > 0 ? t('tasks.bulk.refused', { names: listed(refused.slice(0, 5)) }) : told(tasks.length))
    onDone()
  }
  return (
    <div className="bulk row" role="region" aria-label={t('tasks.bulk.picked', { count: tasks.length })}>
      <span className="strong">{t('tasks.bulk.picked', { count: tasks.length })}</span>
      <Button icon="play" busy={busy} onClick={() => { void each((task) => run.mutateAsync(task.id), (count) => t('tasks.bulk.queued', { count })) }}>{t('tasks.run')}</Button>
      <Button busy={busy} onClick={() => { void each((task) => enable.mutateAsync(task.id), (count) => t('tasks.bulk.on', { count })) }}>{t('tasks.enable')}</Button>
      <Button busy={busy} onClick={() => { void each((task) => disable.mutateAsync({ id: task.id }), (count) => t('tasks.bulk.off', { count })) }}>{t('tasks.disable')}</Button>
      <Button look="plain" onClick={onDone}>{t('tasks.bulk.none')}</Button>
    </div>
  )
}
