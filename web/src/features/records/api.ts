// Backups: the list, one of them, and what to read again when something happened.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { answered, api, type BackupRecord } from '../../api/client'
import { messages } from '../../lib/messages'

export const RECORDS = ['records'] as const

const BUSY_MS = 2_000
const CALM_MS = 4_000

export function isOver(record: BackupRecord): boolean {
  return record.status !== 'queued' && record.status !== 'running'
}

/** Where it runs or ran; a run that waits in a pool has no node yet. */
export function placeOf(record: BackupRecord): string {
  return record.nodeName ?? (typeof record.nodeId === 'number' ? `#${record.nodeId}` : messages.records.inPool)
}

/** Records, newest first, a page at a time; read again often while one runs. */
export function useRecords() {
  return useInfiniteQuery({
    queryKey: [...RECORDS, 'list'],
    initialPageParam: '',
    queryFn: async ({ pageParam }) =>
      answered(await api.GET('/api/v1/records', { params: { query: { limit: 25, ...(pageParam && { cursor: pageParam }) } } })),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.items.some((record) => !isOver(record))) ? BUSY_MS : CALM_MS),
  })
}

/** One record; read again often until it is over. */
export function useRecord(id: number) {
  return useQuery({
    queryKey: [...RECORDS, id],
    queryFn: async () => answered(await api.GET('/api/v1/records/{id}', { params: { path: { id } } })),
    refetchInterval: (query) => (query.state.data && isOver(query.state.data) ? CALM_MS : BUSY_MS / 2),
  })
}
