// Records: runs of tasks, looked at, proven, locked, stopped, completed and removed.
import { useInfiniteQuery, useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { answered, api, held, type BackupRecord, type Schemas } from './client'

export const RECORDS = ['records'] as const

const BUSY_MS = 1_500
const CALM_MS = 15_000
const STRIP = 30

export interface RecordFilter {
  taskId?: number
  nodeId?: number
  status?: BackupRecord['status']
}

export function isOver(record: Pick<BackupRecord, 'status'>): boolean {
  return record.status !== 'queued' && record.status !== 'running'
}

/** Whether there is something to restore from it. */
export function hasCopy(record: BackupRecord): boolean {
  return record.copies.some((copy) => copy.status === 'good')
}

/** The state of a copy as people mean it: what a failed one left behind is removed at once, and it failed all the same. */
export function stateOf(copy: Schemas['RecordCopy']): Schemas['CopyStatus'] {
  return copy.status === 'deleted' && copy.error ? 'failed' : copy.status
}

function pace(records: readonly BackupRecord[] | undefined): number {
  return records?.some((record) => !isOver(record)) ? BUSY_MS : CALM_MS
}

async function list(filter: RecordFilter, limit: number, cursor = '') {
  return answered(await api.GET('/api/v1/records', { params: { query: { ...filter, limit, ...(cursor && { cursor }) } } }))
}

/** Records, newest first, a page at a time; read again often while one runs. */
export function useRecords(filter: RecordFilter = {}) {
  return useInfiniteQuery({
    queryKey: [...RECORDS, 'list', filter],
    initialPageParam: '',
    queryFn: ({ pageParam }) => list(filter, 50, pageParam),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: (query) => pace(query.state.data?.pages.flatMap((page) => page.items)),
  })
}

/** The newest records. */
export function useRecent(filter: RecordFilter, limit: number) {
  return useQuery({
    queryKey: [...RECORDS, 'recent', filter, limit],
    queryFn: async () => (await list(filter, limit)).items,
    refetchInterval: (query) => pace(query.state.data),
  })
}

/** The last runs of each task, newest first. */
export function useStrips(taskIds: readonly number[]) {
  return useQueries({
    queries: taskIds.map((taskId) => ({
      queryKey: [...RECORDS, 'recent', { taskId }, STRIP],
      queryFn: async () => (await list({ taskId }, STRIP)).items,
      staleTime: 5_000,
    })),
  })
}

/** One record; read again often until it is over. */
export function useRecord(id: number, enabled = true) {
  return useQuery({
    queryKey: [...RECORDS, id],
    queryFn: async () => answered(await api.GET('/api/v1/records/{id}', { params: { path: { id } } })),
    refetchInterval: (query) => (query.state.data ? pace([query.state.data]) : CALM_MS),
    enabled,
  })
}

/** The direct children of a folder in a record's archive, a page at a time. */
export function useFiles(id: number, path: string, enabled = true) {
  return useInfiniteQuery({
    queryKey: [...RECORDS, id, 'files', path],
    initialPageParam: '',
    queryFn: async ({ pageParam }) =>
      answered(await api.GET('/api/v1/records/{id}/files', { params: { path: { id }, query: { path, limit: 200, ...(pageParam && { cursor: pageParam }) } } })),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
    enabled,
  })
}

export function useRecordActions(id: number) {
  const cache = useQueryClient()
  const path = { id }
  // Not waited for: whoever asked goes on at once.
  const onSuccess = () => {
    void cache.invalidateQueries({ queryKey: RECORDS })
    void cache.invalidateQueries({ queryKey: ['operations'] })
  }
  return {
    cancel: useMutation({ mutationFn: async () => answered(await api.POST('/api/v1/records/{id}/cancel', { params: { path } })), onSuccess }),
    retry: useMutation({ mutationFn: async () => answered(await api.POST('/api/v1/records/{id}/retry', { params: { path } })), onSuccess }),
    accept: useMutation({ mutationFn: async (body: Schemas['AcceptRequest']) => answered(await api.POST('/api/v1/records/{id}/accept', { params: { path }, body })), onSuccess }),
    verify: useMutation({ mutationFn: async (body: Schemas['VerifyRequest']) => answered(await api.POST('/api/v1/records/{id}/verify', { params: { path }, body })), onSuccess }),
    lock: useMutation({ mutationFn: async (body: Schemas['LockRequest']) => answered(await api.POST('/api/v1/records/{id}/lock', { params: { path }, body })), onSuccess }),
    unlock: useMutation({ mutationFn: async () => answered(await api.POST('/api/v1/records/{id}/unlock', { params: { path } })), onSuccess }),
    remove: useMutation({ mutationFn: async () => { held(await api.DELETE('/api/v1/records/{id}', { params: { path } })) }, onSuccess }),
  }
}
