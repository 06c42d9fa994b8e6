// How long copies are kept, shown on a calendar before it is saved.
import { useTranslation } from 'react-i18next'
import { useMinute } from '../../../lib/clock'
import { day } from '../../../lib/format'
import { kept, type Rule } from '../../../lib/retention'
import { Button } from '../../../ui/Button'
import { CountField } from '../../../ui/Field'
import type { StepProps } from './TaskForm'

const RULES = ['keepLast', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly'] as const
const WEEKS = 53
const DAY_MS = 86_400_000

const PRESETS: readonly { name: 'short' | 'usual' | 'long' | 'everything'; rule: Rule }[] = [
  { name: 'short', rule: { keepLast: 7, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0 } },
  { name: 'usual', rule: { keepLast: 3, keepDaily: 14, keepWeekly: 8, keepMonthly: 12, keepYearly: 0 } },
  { name: 'long', rule: { keepLast: 3, keepDaily: 30, keepWeekly: 26, keepMonthly: 36, keepYearly: 7 } },
  { name: 'everything', rule: { keepLast: 0, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0 } },
]

export function KeepStep({ draft, change, wrong }: StepProps) {
  const { t } = useTranslation()
  return (
    <>
      <div className="row">
        <span className="quiet small">{t('retention.presets')}</span>
        {PRESETS.map(({ name, rule }) => <Button key={name} onClick={() => { change({ retention: rule }) }}>{t(`retention.preset.${name}`)}</Button>)}
      </div>
      <div className="field-grid keep-grid">
        {RULES.map((rule) => <CountField key={rule} label={t(`retention.rule.${rule}`)} value={draft.retention[rule]} onValue={(value) => { change({ retention: { ...draft.retention, [rule]: value } }) }} wrong={wrong.get(`retention.${rule}`)} />)}
      </div>
      <Calendar rule={draft.retention} />
      <p className="quiet small">{t('retention.floor')}</p>
    </>
  )
}

/** What would be there after a year of a backup a day. */
function Calendar({ rule }: { rule: Rule }) {
  const { t } = useTranslation()
  const today = Math.floor(useMinute() / DAY_MS) * DAY_MS
  // Columns are weeks that begin on Monday; the last one is this week.
  const behind = (new Date(today).getUTCDay() + 6) % 7
  const days = Array.from({ length: (WEEKS - 1) * 7 + behind + 1 }, (_, back) => today - back * DAY_MS)
  const reasons = kept(rule, days.map((at) => at + DAY_MS / 2))
  const stay = reasons.filter((one) => one.length > 0).length
  const oldest = days.findLast((_, place) => (reasons[place]?.length ?? 0) > 0) ?? today
  const summary = t('retention.summary', { count: stay, oldest: day(new Date(oldest).toISOString()) })
  return (
    <figure className="stack tight">
      <figcaption>{summary}</figcaption>
      <div className="calendar" role="img" aria-label={summary}>
        {days.map((at, place) => {
          const why = reasons[place] ?? []
          return <span key={at} className={why.length > 0 ? `kept-${why.at(-1) ?? 'last'}` : undefined} title={`${day(new Date(at).toISOString())}: ${why.length > 0 ? why.map((reason) => t(`retention.reason.${reason}`)).join(', ') : t('retention.goes')}`} />
        }).reverse()}
      </div>
      <ul className="row small quiet" aria-hidden="true">
        {(['last', 'daily', 'weekly', 'monthly', 'yearly'] as const).map((reason) => <li key={reason} className="row calendar-key"><span className={`kept-${reason}`} />{t(`retention.reason.${reason}`)}</li>)}
      </ul>
    </figure>
  )
}
