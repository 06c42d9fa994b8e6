// Operations: what is done with a record afterwards - restored, verified, copied, deleted.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { answered, api, type Operation, type Schemas } from './client'

const OPERATIONS = ['operations'] as const

const BUSY_MS = 1_500
const CALM_MS = 20_000

export function isDone(operation: Pick<Operation, 'status'>): boolean {
  return operation.status !== 'queued' && operation.status !== 'running'
}

export interface OperationFilter {
  recordId?: number
  kind?: Operation['kind']
  status?: Operation['status']
}

export function useOperations(filter: OperationFilter, limit = 20) {
  return useQuery({
    queryKey: [...OPERATIONS, 'list', filter, limit],
    queryFn: async () => answered(await api.GET('/api/v1/operations', { params: { query: { ...filter, limit } } })).items,
    refetchInterval: (query) => (query.state.data?.some((operation) => !isDone(operation)) ? BUSY_MS : CALM_MS),
  })
}

/** Operations, newest first, a page at a time. */
export function useOperationPages(filter: OperationFilter) {
  return useInfiniteQuery({
    queryKey: [...OPERATIONS, 'pages', filter],
    initialPageParam: '',
    queryFn: async ({ pageParam }) => answered(await api.GET('/api/v1/operations', { params: { query: { ...filter, limit: 50, ...(pageParam && { cursor: pageParam }) } } })),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.items.some((operation) => !isDone(operation))) ? BUSY_MS : CALM_MS),
  })
}

/** One operation; read again often until it is over. */
export function useOperation(id: number) {
  return useQuery({
    queryKey: [...OPERATIONS, id],
    queryFn: async () => answered(await api.GET('/api/v1/operations/{id}', { params: { path: { id } } })),
    refetchInterval: (query) => (query.state.data && isDone(query.state.data) ? false : BUSY_MS),
  })
}

export function useOperationActions() {
  const cache = useQueryClient()
  // Not waited for: whoever asked goes on at once.
  const onSuccess = () => { void cache.invalidateQueries({ queryKey: OPERATIONS }) }
  return {
    restore: useMutation({ mutationFn: async (body: Schemas['RestoreRequest']) => answered(await api.POST('/api/v1/restores', { body })), onSuccess }),
    cancel: useMutation({ mutationFn: async (id: number) => answered(await api.POST('/api/v1/operations/{id}/cancel', { params: { path: { id } } })), onSuccess }),
  }
}
