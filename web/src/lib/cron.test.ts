import { describe, expect, it } from 'vitest'
import { cronOf, planOf, type Plan } from './cron'

describe('a schedule', () => {
  const cases: [string, Plan][] = [
    ['*/15 * * * *', { every: 'minutes', minutes: 15 }],
    ['5 * * * *', { every: 'hour', minute: 5 }],
    ['30 2 * * *', { every: 'day', hour: 2, minute: 30 }],
    ['0 22 * * mon,wed,fri', { every: 'week', days: ['mon', 'wed', 'fri'], hour: 22, minute: 0 }],
    ['0 3 1 * *', { every: 'month', day: 1, hour: 3, minute: 0 }],
    ['0 3 L * *', { every: 'month', day: 'last', hour: 3, minute: 0 }],
  ]
  it.each(cases)('%s is read and written alike', (cron, plan) => {
    expect(planOf(cron)).toEqual(plan)
    expect(cronOf(plan)).toBe(cron)
  })

  it.each([
    ['@daily', { every: 'day', hour: 0, minute: 0 }],
    ['@hourly', { every: 'hour', minute: 0 }],
    ['0 5 * * 0', { every: 'week', days: ['sun'], hour: 5, minute: 0 }],
    ['0 5 * * 7', { every: 'week', days: ['sun'], hour: 5, minute: 0 }],
    ['0 5 * * 1-5', { every: 'week', days: ['mon', 'tue', 'wed', 'thu', 'fri'], hour: 5, minute: 0 }],
    ['0 5 * * fri-mon', { every: 'week', days: ['mon', 'fri', 'sat', 'sun'], hour: 5, minute: 0 }],
    ['0 5 * * 0-6', { every: 'day', hour: 5, minute: 0 }],
  ] satisfies [string, Plan][])('%s is understood', (cron, plan) => {
    expect(planOf(cron)).toEqual(plan)
  })

  it.each(['0 0 2 * * *', '0 2 1 1 *', '0 2 1 * mon', '1,2 3 * * *', '*/7 * * * *', '0 25 * * *', '0 2 * * 1#1', '', 'nonsense', '0 2 0 * *'])('%s is left to cron', (cron) => {
    expect(planOf(cron)).toEqual({ every: 'custom', cron: cron.trim() })
  })

  it('never loses its last day', () => {
    expect(cronOf({ every: 'week', days: [], hour: 1, minute: 0 })).toBe('0 1 * * mon')
  })
})
