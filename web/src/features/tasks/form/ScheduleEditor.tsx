// A schedule: picked from what is usual, or written as cron; said as a sentence, with what it comes to.
import { useTranslation } from 'react-i18next'
import { useSchedulePreview } from '../../../api/tasks'
import { cronOf, DAYS, planOf, type Plan } from '../../../lib/cron'
import { instantIn } from '../../../lib/format'
import { dayName, useSentence } from '../../../lib/useSentence'
import { useReason } from '../../../ui/Failure'
import { SelectField, TextField } from '../../../ui/Field'

const EVERY = ['minutes', 'hour', 'day', 'week', 'month', 'custom'] as const
const MINUTES = [5, 10, 15, 20, 30] as const

interface Props {
  cron: string
  timezone: string
  onChange: (change: { cron?: string; timezone?: string }) => void
}

/** The same time of day under another rhythm. */
function turned(plan: Plan, every: Plan['every'], cron: string): Plan {
  const hour = 'hour' in plan ? plan.hour : 2
  const minute = 'minute' in plan ? plan.minute : 30
  switch (every) {
    case 'minutes':
      return { every, minutes: 15 }
    case 'hour':
      return { every, minute }
    case 'day':
      return { every, hour, minute }
    case 'week':
      return { every, days: ['sun'], hour, minute }
    case 'month':
      return { every, day: 1, hour, minute }
    case 'custom':
      return { every, cron }
  }
}

export function ScheduleEditor({ cron, timezone, onChange }: Props) {
  const { t } = useTranslation()
  const plan = planOf(cron)
  const set = (next: Plan) => { onChange({ cron: cronOf(next) }) }
  return (
    <div className="schedule">
      <div className="stack">
        <div className="field-grid">
          <SelectField label={t('schedule.every')} value={plan.every} options={EVERY.map((value) => ({ value, label: t(`schedule.rhythm.${value}`) }))} onValue={(every) => { if (every !== 'custom') set(turned(plan, every, cron)); else onChange({ cron: `${cron.trim()} ` }) }} />
          {plan.every === 'minutes' && <SelectField label={t('schedule.minutes')} value={String(plan.minutes)} options={[...new Set([...MINUTES, plan.minutes])].sort((a, b) => a - b).map((value) => ({ value: String(value), label: String(value) }))} onValue={(minutes) => { set({ every: 'minutes', minutes: Number(minutes) }) }} />}
          {plan.every === 'hour' && <TextField label={t('schedule.atMinute')} type="number" min={0} max={59} value={String(plan.minute)} onValue={(minute) => { set({ every: 'hour', minute: Math.min(59, Math.max(0, Number(minute) || 0)) }) }} />}
          {plan.every === 'month' && <SelectField label={t('schedule.onDay')} value={String(plan.day)} options={[...Array.from({ length: 28 }, (_, index) => ({ value: String(index + 1), label: String(index + 1) })), { value: 'last', label: t('schedule.lastDay') }]} onValue={(day) => { set({ ...plan, day: day === 'last' ? 'last' : Number(day) }) }} />}
          {'hour' in plan && <TextField label={t('schedule.time')} type="time" value={`${String(plan.hour).padStart(2, '0')}:${String(plan.minute).padStart(2, '0')}`} onValue={(text) => { const [hour, minute] = text.split(':').map(Number); if (hour !== undefined && minute !== undefined) set({ ...plan, hour, minute }) }} />}
        </div>
        {plan.every === 'week' && (
          <fieldset className="field">
            <legend className="label">{t('schedule.days')}</legend>
            <div className="day-picks">
              {DAYS.map((day) => (
                <label key={day} className="day-pick">
                  <input type="checkbox" className="unseen" checked={plan.days.includes(day)} aria-label={dayName(day)} onChange={(event) => { const days = event.target.checked ? [...plan.days, day] : plan.days.filter((one) => one !== day); if (days.length > 0) set({ ...plan, days: DAYS.filter((one) => days.includes(one)) }) }} />
                  <span aria-hidden="true">{dayName(day, 'short')}</span>
                </label>
              ))}
            </div>
          </fieldset>
        )}
        <div className="field-grid">
          <TextField label={t('schedule.cron')} hint={t('schedule.cronHint')} value={cron} onValue={(text) => { onChange({ cron: text }) }} spellCheck={false} autoCapitalize="none" />
          <SelectField label={t('schedule.zone')} value={timezone} options={zones(timezone).map((value) => ({ value, label: value }))} onValue={(zone) => { onChange({ timezone: zone }) }} />
        </div>
      </div>
      <Preview cron={cron} timezone={timezone} />
    </div>
  )
}

function zones(chosen: string): string[] {
  return [...new Set(['UTC', chosen, ...Intl.supportedValuesOf('timeZone')])]
}

function Preview({ cron, timezone }: { cron: string; timezone: string }) {
  const { t } = useTranslation()
  const sentence = useSentence()
  const reason = useReason()
  const preview = useSchedulePreview(cron.trim() === '' ? null : { cron: cron.trim(), timezone })
  return (
    <div className="schedule-says" role="status">
      <p className="strong">{cron.trim() === '' ? t('form.lacks.cron') : sentence(cron, timezone)}</p>
      {preview.error ? <p className="tone-text-bad small">{reason(preview.error)}</p> : preview.data && preview.data.length > 0 && (
        <>
          <p className="quiet small">{t('schedule.next')}</p>
          <ol className="stack tight">{preview.data.map((at) => <li key={at}>{instantIn(at, timezone)}</li>)}</ol>
        </>
      )}
    </div>
  )
}
