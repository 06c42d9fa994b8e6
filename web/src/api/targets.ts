// Storage: the places that copies go to, and the kinds there are.
import { useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { all, answered, api, held, tagged, type Schemas } from './client'

const TARGETS = ['targets'] as const

export function useTargetTypes() {
  return useQuery({
    queryKey: ['target-types'],
    queryFn: async () => answered(await api.GET('/api/v1/target-types')).items,
    staleTime: Number.POSITIVE_INFINITY,
  })
}

/** Every target. */
export function useTargets() {
  return useQuery({
    queryKey: [...TARGETS, 'list'],
    queryFn: () => all(async (query) => answered(await api.GET('/api/v1/targets', { params: { query } }))),
    refetchInterval: 30_000,
  })
}

export function useTarget(id: number) {
  return useQuery({
    queryKey: [...TARGETS, id],
    queryFn: async () => tagged(await api.GET('/api/v1/targets/{id}', { params: { path: { id } } })),
  })
}

const usage = (id: number) => ({
  queryKey: [...TARGETS, id, 'usage'],
  queryFn: async () => answered(await api.GET('/api/v1/targets/{id}/usage', { params: { path: { id } } })),
  staleTime: 60_000,
})

/** What lies on a target, as the master's records have it. */
export function useUsage(id: number) {
  return useQuery(usage(id))
}

/** The same of several. */
export function useUsages(ids: readonly number[]) {
  return useQueries({ queries: ids.map(usage) })
}

export function useTargetActions() {
  const cache = useQueryClient()
  // Not waited for: whoever asked goes on at once.
  const onSuccess = () => { void cache.invalidateQueries({ queryKey: TARGETS }) }
  return {
    add: useMutation({ mutationFn: async (body: Schemas['TargetCreate']) => answered(await api.POST('/api/v1/targets', { body })), onSuccess }),
    edit: useMutation({
      mutationFn: async ({ id, tag, body }: { id: number; tag: string; body: Schemas['TargetUpdate'] }) =>
        answered(await api.PATCH('/api/v1/targets/{id}', { params: { path: { id }, header: { 'If-Match': tag } }, body })),
      onSuccess,
    }),
    test: useMutation({
      mutationFn: async ({ id, nodeId }: { id: number; nodeId?: number }) =>
        answered(await api.POST('/api/v1/targets/{id}/test', { params: { path: { id } }, body: nodeId === undefined ? {} : { nodeId } })),
      onSettled: onSuccess,
    }),
    remove: useMutation({ mutationFn: async (id: number) => { held(await api.DELETE('/api/v1/targets/{id}', { params: { path: { id } } })) }, onSuccess }),
  }
}

/** Names of targets by id. */
export function useTargetNames(): (id: number) => string {
  const targets = useTargets().data
  const names = new Map((targets ?? []).map((target) => [target.id, target.name]))
  return (id) => names.get(id) ?? `#${id}`
}
