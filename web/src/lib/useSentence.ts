// A schedule as a sentence in the language of the page.
import { useTranslation } from 'react-i18next'
import { DAYS, planOf, type Day } from './cron'
import { language } from './i18n'
import { listed } from './format'

/** A Monday; the days behind it are the others of the week. */
const MONDAY = Date.UTC(2024, 0, 1)

export function dayName(day: Day, width: 'long' | 'short' = 'long'): string {
  return new Intl.DateTimeFormat(language(), { weekday: width, timeZone: 'UTC' }).format(MONDAY + DAYS.indexOf(day) * 86_400_000)
}

export function clock(hour: number, minute: number): string {
  return new Intl.DateTimeFormat(language(), { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' }).format(Date.UTC(2024, 0, 1, hour, minute))
}

export function useSentence(): (cron: string, zone: string | undefined) => string {
  const { t } = useTranslation()
  return (cron, zone) => {
    const plan = planOf(cron)
    const where = zone ?? 'UTC'
    switch (plan.every) {
      case 'minutes':
        return t('schedule.sentence.minutes', { count: plan.minutes })
      case 'hour':
        return t('schedule.sentence.hour', { minute: String(plan.minute).padStart(2, '0') })
      case 'day':
        return t('schedule.sentence.day', { time: clock(plan.hour, plan.minute), zone: where })
      case 'week':
        return t('schedule.sentence.week', { days: listed(plan.days.map((day) => dayName(day))), time: clock(plan.hour, plan.minute), zone: where })
      case 'month':
        return plan.day === 'last'
          ? t('schedule.sentence.lastDay', { time: clock(plan.hour, plan.minute), zone: where })
          : t('schedule.sentence.month', { day: plan.day, time: clock(plan.hour, plan.minute), zone: where })
      case 'custom':
        return t('schedule.sentence.custom', { cron: plan.cron, zone: where })
    }
  }
}
