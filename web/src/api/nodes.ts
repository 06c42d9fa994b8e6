// Nodes: the servers that run work.
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { all, answered, api, held, tagged, type Schemas } from './client'
import { firstInto } from './queries'

const NODES = ['nodes'] as const
const CALM_MS = 15_000

export const everyNode = queryOptions({
  queryKey: [...NODES, 'list'],
  queryFn: ({ client, queryKey }) => all(async (query) => answered(await api.GET('/api/v1/nodes', { params: { query } })), firstInto(client, queryKey)),
})

/** Every node. */
export function useNodes() {
  return useQuery({ ...everyNode, refetchInterval: CALM_MS })
}

/** One node; asked for again every `everyMs`. */
export function useNode(id: number, everyMs = CALM_MS) {
  return useQuery({
    queryKey: [...NODES, id],
    queryFn: async () => tagged(await api.GET('/api/v1/nodes/{id}', { params: { path: { id } } })),
    refetchInterval: everyMs,
  })
}

/** A folder of a node, as its agent sees it. */
export function useBrowse(id: number, path: string, enabled = true) {
  return useQuery({
    queryKey: [...NODES, id, 'browse', path],
    queryFn: async () => answered(await api.GET('/api/v1/nodes/{id}/browse', { params: { path: { id }, query: { path } } })),
    staleTime: 30_000,
    retry: false,
    enabled,
  })
}

export function useNodeActions() {
  const cache = useQueryClient()
  // Not waited for: whoever asked goes on at once.
  const onSuccess = () => { void cache.invalidateQueries({ queryKey: NODES }) }
  return {
    add: useMutation({ mutationFn: async (body: Schemas['NodeInput']) => answered(await api.POST('/api/v1/nodes', { body })), onSuccess }),
    edit: useMutation({
      mutationFn: async ({ id, tag, body }: { id: number; tag: string; body: Schemas['NodeInput'] }) =>
        answered(await api.PUT('/api/v1/nodes/{id}', { params: { path: { id }, header: { 'If-Match': tag } }, body })),
      onSuccess,
    }),
    rotate: useMutation({ mutationFn: async (id: number) => answered(await api.POST('/api/v1/nodes/{id}/rotate-token', { params: { path: { id } } })), onSuccess }),
    remove: useMutation({ mutationFn: async (id: number) => { held(await api.DELETE('/api/v1/nodes/{id}', { params: { path: { id } } })) }, onSuccess }),
  }
}

/** Names of nodes by id; `undefined` for one that is gone. */
export function useNodeNames(): (id: number | null | undefined) => string | undefined {
  const nodes = useNodes().data
  const names = new Map((nodes ?? []).map((node) => [node.id, node.name]))
  return (id) => (typeof id === 'number' ? names.get(id) : undefined)
}
