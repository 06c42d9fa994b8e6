// Who may come in: the session, the set-up, users, API keys.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { all, answered, api, held, Refusal, tagged, type Schemas } from './client'
import { queries, SESSION } from './queries'

const SET_UP = ['set-up'] as const
const USERS = ['users'] as const
const KEYS = ['api-keys'] as const

const session = {
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
}

/** The session; `null` when nobody is signed in. */
export function useSession() {
  return useQuery(session)
}

/** Asks for the session before anything is drawn that needs it; tells whether there is one. */
export async function askForSession(): Promise<boolean> {
  try {
    return (await queries.query(session)) !== null
  } catch {
    // Who shows the session tells of what went wrong.
    return false
  }
}

const RANKS: Record<Schemas['Role'], number> = { viewer: 0, operator: 1, admin: 2 }

/** Whether who is signed in may do what this role may. */
export function useMay(role: Schemas['Role']): boolean {
  const mine = useSession().data?.role
  return mine !== undefined && RANKS[mine] >= RANKS[role]
}

/** Whether the first administrator is still to be made. */
export function useSetUpNeeded() {
  return useQuery({ queryKey: SET_UP, queryFn: async () => answered(await api.GET('/api/v1/set-up')).needed })
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
      cache.removeQueries({ predicate: (query) => query.queryKey[0] !== SESSION[0] && query.queryKey[0] !== SET_UP[0] })
      return cache.invalidateQueries({ queryKey: SESSION })
    },
  })
}

/** Makes the first administrator and signs in; `onDone` comes before the pages do. */
export function useSetUp(onDone: () => void) {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: async (first: Schemas['SetUp']) => {
      answered(await api.POST('/api/v1/set-up', { body: first }))
      await open({ username: first.username, password: first.password })
    },
    onSuccess: onDone,
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
    onSuccess: () => { cache.setQueryData(SESSION, null) },
  })
}

export function useChangePassword() {
  return useMutation({ mutationFn: async (body: Schemas['PasswordChange']) => { held(await api.PUT('/api/v1/users/me/password', { body })) } })
}

export function useUsers() {
  return useQuery({ queryKey: USERS, queryFn: () => all(async (query) => answered(await api.GET('/api/v1/users', { params: { query } }))) })
}

export function useUserActions() {
  const cache = useQueryClient()
  // Not waited for: whoever asked goes on at once.
  const onSuccess = () => { void cache.invalidateQueries({ queryKey: USERS }) }
  return {
    add: useMutation({ mutationFn: async (body: Schemas['UserCreate']) => answered(await api.POST('/api/v1/users', { body })), onSuccess }),
    edit: useMutation({
      mutationFn: async ({ id, body }: { id: number; body: Schemas['UserUpdate'] }) => {
        const { tag } = tagged(await api.GET('/api/v1/users/{id}', { params: { path: { id } } }))
        return answered(await api.PATCH('/api/v1/users/{id}', { params: { path: { id }, header: { 'If-Match': tag } }, body }))
      },
      onSuccess,
    }),
    remove: useMutation({ mutationFn: async (id: number) => { held(await api.DELETE('/api/v1/users/{id}', { params: { path: { id } } })) }, onSuccess }),
  }
}

export function useApiKeys() {
  return useQuery({ queryKey: KEYS, queryFn: () => all(async (query) => answered(await api.GET('/api/v1/api-keys', { params: { query } }))) })
}

export function useApiKeyActions() {
  const cache = useQueryClient()
  // Not waited for: whoever asked goes on at once.
  const onSuccess = () => { void cache.invalidateQueries({ queryKey: KEYS }) }
  return {
    add: useMutation({ mutationFn: async (body: Schemas['ApiKeyCreate']) => answered(await api.POST('/api/v1/api-keys', { body })), onSuccess }),
    remove: useMutation({ mutationFn: async (id: number) => { held(await api.DELETE('/api/v1/api-keys/{id}', { params: { path: { id } } })) }, onSuccess }),
  }
}
