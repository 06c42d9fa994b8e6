// The ear for what happens at the master: reads again what an event is about. Where events do not get through, the queries' own intervals do.
import { useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useMemo, useSyncExternalStore } from 'react'
import { address } from '../api/client'
import { whileVisible } from '../lib/visible'

/** At a master of thousands of runs events come by the second; lists are not read more often than this. */
const APART_MS = 2_000

const LIVE = new Set(['records', 'operations', 'nodes'])

export function useEvents(): void {
  const cache = useQueryClient()
  const subscribe = useMemo(() => listenInto(cache), [cache])
  useSyncExternalStore(subscribe, () => null)
}

function listenInto(cache: QueryClient): () => () => void {
  return () => {
    let waiting: number | undefined
    let last = 0
    function readAgain() {
      waiting = undefined
      last = Date.now()
      void cache.invalidateQueries({ predicate: (query) => LIVE.has(String(query.queryKey[0])) && query.queryKey[2] !== 'files' && query.queryKey[2] !== 'browse' })
    }
    let seen = false
    return whileVisible(() => {
      const stream = new EventSource(address('/api/v1/events'), { withCredentials: true })
      stream.addEventListener('message', () => {
        waiting ??= window.setTimeout(readAgain, Math.max(0, last + APART_MS - Date.now()))
      })
      // What happened while nobody looked was not heard.
      if (seen) readAgain()
      seen = true
      return () => {
        window.clearTimeout(waiting)
        waiting = undefined
        stream.close()
      }
    })
  }
}
