// "Back this machine up" as a first task, run at once.
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fieldsOf } from '../../api/client'
import { useTaskActions } from '../../api/tasks'
import { Button, ButtonLink } from '../../ui/Button'
import { Failure } from '../../ui/Failure'
import { CheckField, TextField } from '../../ui/Field'

const NIGHTLY = '30 2 * * *'

export function FirstTask({ targetId }: { targetId: number }) {
  const { t } = useTranslation()
  const go = useNavigate()
  const [path, setPath] = useState('/etc')
  const [nightly, setNightly] = useState(true)
  const { add, run } = useTaskActions()
  const refused = add.error ?? run.error
  const wrong = fieldsOf(add.error)
  async function submit() {
    const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone
    const name = path.split('/').filter(Boolean).join('-') || 'root'
    try {
      const task = await add.mutateAsync({ name, nodeId: 0, targetIds: [targetId], source: { type: 'file', paths: [path], skipCacheDirs: true }, encrypt: true, retention: { keepLast: nightly ? 14 : 0 }, schedule: nightly ? { cron: NIGHTLY, timezone } : null })
      const record = await run.mutateAsync(task.id)
      await go({ to: '/records/$id', params: { id: String(record.id) } })
    } catch {
      // What the master said stands in the form.
    }
  }
  return (
    <form className="stack" onSubmit={(event) => { event.preventDefault(); void submit() }}>
      <p className="quiet">{t('start.task.lead')}</p>
      <TextField label={t('start.task.path')} value={path} onValue={setPath} required wrong={wrong.get('source.paths')} />
      <CheckField label={t('start.task.daily')} checked={nightly} onChecked={setNightly} />
      {refused && <Failure error={refused} />}
      <div className="row">
        <Button type="submit" look="main" icon="play" busy={add.isPending || run.isPending}>{t('start.task.create')}</Button>
        <ButtonLink to="/tasks/new" search={{ target: targetId }}>{t('start.task.wizard')}</ButtonLink>
      </div>
    </form>
  )
}
