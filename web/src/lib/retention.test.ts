import { describe, expect, it } from 'vitest'
import { kept, type Rule } from './retention'

const none: Rule = { keepLast: 0, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0 }
const daily = (count: number) => Array.from({ length: count }, (_, back) => Date.UTC(2026, 10, 28, 2) - back * 86_400_000)
const stays = (rule: Partial<Rule>, times: number[]) => kept({ ...none, ...rule }, times).map((reasons) => reasons.length > 0)

describe('retention', () => {
  it('keeps everything when nothing is asked', () => {
    expect(stays({}, daily(40)).every(Boolean)).toBe(true)
  })

  it('keeps the newest ones', () => {
    expect(stays({ keepLast: 2 }, daily(4))).toEqual([true, true, false, false])
  })

  it('keeps the newest of a day, and counts only days that have one', () => {
    const noon = Date.UTC(2026, 10, 28, 12)
    expect(stays({ keepDaily: 2 }, [noon, noon - 3_600_000, noon - 5 * 86_400_000, noon - 6 * 86_400_000])).toEqual([true, false, true, false])
  })

  it('begins weeks on Monday', () => {
    // A Monday, the Sunday before it, and the Saturday before that.
    const monday = Date.UTC(2026, 10, 23, 2)
    expect(stays({ keepWeekly: 2 }, [monday, monday - 86_400_000, monday - 2 * 86_400_000])).toEqual([true, true, false])
  })

  it('says each reason', () => {
    const reasons = kept({ keepLast: 1, keepDaily: 1, keepWeekly: 1, keepMonthly: 1, keepYearly: 1 }, daily(2))
    expect(reasons).toEqual([['last', 'daily', 'weekly', 'monthly', 'yearly'], []])
  })

  it('never lets the newest go', () => {
    expect(kept(none, [0])).toEqual([['last']])
  })
})
