// Nodes, as the master sees them.
import { useQuery } from '@tanstack/react-query'
import { answered, api } from '../../api/client'

export const NODES = ['nodes'] as const

/** All nodes, up to the 500 of one page. */
export function useNodes() {
  return useQuery({
    queryKey: NODES,
    refetchInterval: 10_000,
    queryFn: async () => answered(await api.GET('/api/v1/nodes', { params: { query: { limit: 500 } } })).items,
  })
}
