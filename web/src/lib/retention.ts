// What a rule of retention keeps out of a row of backups: the same rule that the master has, for a look before it is saved.
import type { Schemas } from '../api/client'

export type Rule = Required<Schemas['Retention']>
export type Reason = 'last' | 'daily' | 'weekly' | 'monthly' | 'yearly'

const DAY_MS = 86_400_000

/** The Monday of an instant's ISO week, in days since 1970. */
function week(at: number): number {
  const day = Math.floor(at / DAY_MS)
  // 1970 began on a Thursday.
  return day - ((day + 3) % 7)
}

const PERIODS: readonly [Reason, keyof Rule, (at: number) => string | number][] = [
  ['daily', 'keepDaily', (at) => Math.floor(at / DAY_MS)],
  ['weekly', 'keepWeekly', week],
  ['monthly', 'keepMonthly', (at) => new Date(at).toISOString().slice(0, 7)],
  ['yearly', 'keepYearly', (at) => new Date(at).getUTCFullYear()],
]

/** Why each backup stays, in the order of `times` (newest first); none that goes has a reason. A rule of zeros keeps everything. */
export function kept(rule: Rule, times: readonly number[]): Reason[][] {
  const reasons: Reason[][] = times.map(() => [])
  const everything = rule.keepLast === 0 && PERIODS.every(([, field]) => rule[field] === 0)
  times.forEach((_, place) => { if (everything || place < rule.keepLast) reasons[place]?.push('last') })
  for (const [reason, field, periodOf] of PERIODS) {
    const seen = new Set<string | number>()
    times.forEach((at, place) => {
      const period = periodOf(at)
      if (seen.has(period) || seen.size >= rule[field]) return
      seen.add(period)
      reasons[place]?.push(reason)
    })
  }
  // The newest good copy is never removed by a rule.
  if (reasons[0]?.length === 0) reasons[0].push('last')
  return reasons
}
