// When it runs: a schedule as a sentence with its next runs, and the tasks that it follows.
import { useTranslation } from 'react-i18next'
import { useTasks } from '../../../api/tasks'
import { CheckField, CountField, SelectField } from '../../../ui/Field'
import { ScheduleEditor } from './ScheduleEditor'
import type { StepProps } from './TaskForm'

const CATCH_UP = ['once', 'skip', 'all'] as const

export function WhenStep({ draft, change, wrong, task }: StepProps) {
  const { t } = useTranslation()
  const others = (useTasks().data ?? []).filter((one) => one.id !== task?.id).slice(0, 200)
  return (
    <>
      <CheckField label={t('form.scheduled')} hint={t('form.scheduledHint')} checked={draft.scheduled} onChecked={(scheduled) => { change({ scheduled }) }} />
      {draft.scheduled && (
        <>
          <ScheduleEditor cron={draft.cron} timezone={draft.timezone} onChange={(part) => { change(part) }} />
          {(wrong.get('schedule.cron') ?? wrong.get('schedule.timezone')) && <p className="tone-text-bad small">{wrong.get('schedule.cron') ?? wrong.get('schedule.timezone')}</p>}
          <div className="field-grid">
            <SelectField label={t('form.catchUp')} hint={t(`form.catchUpHint.${draft.catchUp}`)} value={draft.catchUp} options={CATCH_UP.map((value) => ({ value, label: t(`form.catchUps.${value}`) }))} onValue={(catchUp) => { change({ catchUp }) }} />
            <CountField label={t('form.jitter')} hint={t('form.jitterHint')} value={draft.jitterMinutes} onValue={(jitterMinutes) => { change({ jitterMinutes }) }} wrong={wrong.get('schedule.jitterSecs')} />
          </div>
        </>
      )}
      {others.length > 0 && (
        <details className="fold" open={draft.after.length > 0}>
          <summary>{t('form.after')}</summary>
          <div className="stack">
            <p className="quiet small">{t('form.afterHint')}</p>
            <div className="pick-list">
              {others.map((one) => <CheckField key={one.id} label={one.name} checked={draft.after.includes(one.id)} onChecked={(on) => { change({ after: on ? [...draft.after, one.id] : draft.after.filter((id) => id !== one.id) }) }} />)}
            </div>
            {draft.after.length > 1 && <SelectField label={t('form.afterWhen')} value={draft.afterWhen} options={(['all', 'any'] as const).map((value) => ({ value, label: t(`form.afterWhens.${value}`) }))} onValue={(afterWhen) => { change({ afterWhen }) }} />}
            {wrong.get('after') && <p className="tone-text-bad small">{wrong.get('after')}</p>}
          </div>
        </details>
      )}
    </>
  )
}
