// Whether the master answers: what is on the page is old while it does not, and people are told so.
import { useSyncExternalStore } from 'react'

let since: number | undefined
const listeners = new Set<() => void>()

function set(next: number | undefined): void {
  if ((since === undefined) === (next === undefined)) return
  since = next
  listeners.forEach((tell) => { tell() })
}

/** Notes how a call ended: a browser says `TypeError` when nobody answered. */
export function noteAnswer(error?: Error): void {
  if (error === undefined) set(undefined)
  else if (error instanceof TypeError) set(Date.now())
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Since when the master is away; nothing while it answers. */
export function useAway(): number | undefined {
  return useSyncExternalStore(subscribe, () => since)
}
