// Who is signed in, and how that changes.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { answered, api, held, Refusal, type Schemas } from '../../api/client'
import { SESSION } from '../../api/queries'

const SET_UP = ['set-up'] as const

/** The session; `null` when nobody is signed in. */
export function useSession() {
  return useQuery({
    queryKey: SESSION,
    staleTime: 60_000,
    queryFn: async () => {
      try {
        return answered(await api.GET('/api/v1/sessions/current'))
      } catch (error) {
        if (error instanceof Refusal && error.status === 401) return null
        throw error
      }
    },
  })
}

/** Whether the first administrator is still to be made. */
export function useSetUpNeeded() {
  return useQuery({
    queryKey: SET_UP,
    queryFn: async () => answered(await api.GET('/api/v1/set-up')).needed,
  })
}

async function open(credentials: Schemas['SignIn']): Promise<void> {
  answered(await api.POST('/api/v1/sessions', { body: credentials }))
}

export function useSignIn() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: open,
    onSuccess: () => {
      // Nothing that somebody else saw here is shown to whoever comes next.
      cache.removeQueries({ type: 'inactive' })
      return cache.invalidateQueries({ queryKey: SESSION })
    },
  })
}

/** Makes the first administrator and signs in. */
export function useSetUp() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: async (first: Schemas['SetUp']) => {
      answered(await api.POST('/api/v1/set-up', { body: first }))
      await open({ username: first.username, password: first.password })
    },
    onSettled: async () => {
      await cache.invalidateQueries({ queryKey: SET_UP })
      await cache.invalidateQueries({ queryKey: SESSION })
    },
  })
}

export function useSignOut() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: async () => { held(await api.DELETE('/api/v1/sessions/current')) },
    onSettled: () => { cache.setQueryData(SESSION, null) },
  })
}
