// The time of day as state: moves once a second for whoever shows it.
import { useSyncExternalStore } from 'react'

let now = Date.now()
let timer: number | undefined
const listeners = new Set<() => void>()

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
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
