// The query cache: the one place that holds what the master said.
import { QueryCache, QueryClient } from '@tanstack/react-query'
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
