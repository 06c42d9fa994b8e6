// What happened at the master, in order.
import { useInfiniteQuery } from '@tanstack/react-query'
import { answered, api, type Schemas } from './client'

export type Event = Schemas['Event']

/** Events, oldest first, as the master tells them. */
export function useEventPages() {
  return useInfiniteQuery({
    queryKey: ['events'],
    initialPageParam: '',
    queryFn: async ({ pageParam }) =>
      answered(await api.GET('/api/v1/events', { params: { query: { limit: 500, ...(pageParam && { cursor: pageParam }) } }, headers: { accept: 'application/json' }, parseAs: 'json' })) as { items: Event[]; nextCursor?: string | null },
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  })
}
