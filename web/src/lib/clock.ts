// The time of day as state: moves once a second for whoever shows it.
import { useSyncExternalStore } from 'react'

let now = Date.now()
let timer: number | undefined
const listeners = new Set<() => void>()

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  // Nobody looked for a while, so nobody moved it.
  if (timer === undefined) now = Date.now()
  timer ??= window.setInterval(() => {
    now = Date.now()
    listeners.forEach((tell) => { tell() })
  }, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      window.clearInterval(timer)
      timer = undefined
    }
  }
}

/** Milliseconds since 1970, as of the last second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}

/** The same, moving once a minute: for what says hours and days. */
export function useMinute(): number {
  return useSyncExternalStore(subscribe, () => Math.floor(now / 60_000) * 60_000)
}

/** The same, and never before an instant that just was: a clock that lags by a minute would put it into the future. */
export function useMinuteAfter(at: number): number {
  const minute = useMinute()
  return useSyncExternalStore(subscribe, () => Math.max(minute, Math.min(at, now + 1000)))
}
