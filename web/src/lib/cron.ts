// Schedules as people say them, and as cron writes them.

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Day = (typeof DAYS)[number]

export type Plan =
  | { every: 'minutes'; minutes: number }
  | { every: 'hour'; minute: number }
  | { every: 'day'; hour: number; minute: number }
  | { every: 'week'; days: readonly Day[]; hour: number; minute: number }
  | { every: 'month'; day: number | 'last'; hour: number; minute: number }
  | { every: 'custom'; cron: string }

const NAMED: Record<string, string> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
}

/** Numbers of cron's days of the week; Sunday is both 0 and 7. */
const NUMBERS: Record<string, Day> = { 0: 'sun', 1: 'mon', 2: 'tue', 3: 'wed', 4: 'thu', 5: 'fri', 6: 'sat', 7: 'sun' }

function whole(text: string | undefined, most: number): number | undefined {
  if (text === undefined || !/^\d{1,2}$/.test(text)) return undefined
  const value = Number(text)
  return value <= most ? value : undefined
}

function dayOf(text: string): Day | undefined {
  return NUMBERS[text] ?? DAYS.find((day) => day === text.toLowerCase())
}

function daysOf(text: string): Day[] | undefined {
  const found = new Set<Day>()
  for (const part of text.split(',')) {
    const [from, to] = part.split('-')
    const first = dayOf(from ?? '')
    const last = to === undefined ? first : dayOf(to)
    if (!first || !last) return undefined
    const begin = DAYS.indexOf(first)
    const length = (DAYS.indexOf(last) - begin + DAYS.length) % DAYS.length
    // Twice the week, since a range may pass its end.
    for (const day of [...DAYS, ...DAYS].slice(begin, begin + length + 1)) found.add(day)
  }
  return DAYS.filter((day) => found.has(day))
}

/** An expression as a plan; `custom` when it says more than the plans do. */
export function planOf(cron: string): Plan {
  const text = cron.trim()
  const fields = (NAMED[text] ?? text).split(/\s+/)
  const custom: Plan = { every: 'custom', cron: text }
  if (fields.length !== 5) return custom
  const [minuteField = '', hourField = '', dayField = '', monthField, weekField = ''] = fields
  if (monthField !== '*') return custom
  const anyDay = dayField === '*' && weekField === '*'
  const step = /^\*\/(\d{1,2})$/.exec(minuteField)?.[1]
  if (step && hourField === '*' && anyDay) {
    const minutes = Number(step)
    return minutes > 0 && 60 % minutes === 0 ? { every: 'minutes', minutes } : custom
  }
  const minute = whole(minuteField, 59)
  if (minute === undefined) return custom
  if (hourField === '*' && anyDay) return { every: 'hour', minute }
  const hour = whole(hourField, 23)
  if (hour === undefined) return custom
  if (anyDay) return { every: 'day', hour, minute }
  if (dayField === '*') {
    const days = daysOf(weekField)
    if (!days) return custom
    return days.length === DAYS.length ? { every: 'day', hour, minute } : { every: 'week', days, hour, minute }
  }
  if (weekField !== '*') return custom
  if (dayField === 'L') return { every: 'month', day: 'last', hour, minute }
  const day = whole(dayField, 31)
  return day ? { every: 'month', day, hour, minute } : custom
}

/** The expression of a plan. */
export function cronOf(plan: Plan): string {
  switch (plan.every) {
    case 'minutes':
      return `*/${plan.minutes} * * * *`
    case 'hour':
      return `${plan.minute} * * * *`
    case 'day':
      return `${plan.minute} ${plan.hour} * * *`
    case 'week':
      // A week without a day would be no expression at all.
      return `${plan.minute} ${plan.hour} * * ${(plan.days.length > 0 ? plan.days : ['mon']).join(',')}`
    case 'month':
      return `${plan.minute} ${plan.hour} ${plan.day === 'last' ? 'L' : plan.day} * *`
    case 'custom':
      return plan.cron
  }
}
