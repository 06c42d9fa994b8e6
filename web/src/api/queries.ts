// The query cache: the one place that holds what the master said.
import { QueryCache, QueryClient, type QueryKey } from '@tanstack/react-query'
import { noteAnswer } from '../lib/away'
import { Refusal } from './client'

export const SESSION = ['session'] as const

export const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    // A session that ended shows the sign-in wherever one was.
    onSuccess() { noteAnswer() },
    onError(error, query) {
      noteAnswer(error)
      if (error instanceof Refusal && error.status === 401 && query.queryKey[0] !== SESSION[0]) {
        queries.setQueryData(SESSION, null)
      }
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (count, error) => count < 2 && !(error instanceof Refusal && error.status < 500),
    },
  },
})

/** Puts the first items of a long list into the cache when nothing is there yet; what is there is never made shorter by it. */
export function firstInto(client: QueryClient, key: QueryKey): ((items: unknown[]) => void) | undefined {
  return client.getQueryData(key) === undefined ? (items) => { client.setQueryData(key, items) } : undefined
}
