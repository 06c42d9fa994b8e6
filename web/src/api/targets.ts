// Storage: the places that copies go to, and the kinds there are.
import { useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
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
    // A check that is under way comes further every second.
    refetchInterval: (query) => (query.state.data?.lastCheck && !query.state.data.lastCheck.finishedAt ? 2_000 : 30_000),
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
    check: useMutation({ mutationFn: async (id: number) => answered(await api.POST('/api/v1/targets/{id}/check', { params: { path: { id } } })), onSuccess }),
    remove: useMutation({ mutationFn: async (id: number) => { held(await api.DELETE('/api/v1/targets/{id}', { params: { path: { id } } })) }, onSuccess }),
  }
}

type Step = Schemas['ImportStep']

/** One import out of the steps that it took so far. */
function together(before: Step, step: Step): Step {
  return {
    found: before.found + step.found,
    records: before.records + step.records,
    copies: before.copies + step.copies,
    known: before.known + step.known,
    tasks: [...before.tasks, ...step.tasks],
    nodes: [...before.nodes, ...step.nodes],
    skipped: [...before.skipped, ...step.skipped],
    unknownKeys: [...new Set([...before.unknownKeys, ...step.unknownKeys])],
  }
}

/** Takes over what lies on a target, step by step to the end; `seen` folders were looked at so far. */
export function useImport(id: number) {
  const cache = useQueryClient()
  const [seen, setSeen] = useState(0)
  const run = useMutation({
    mutationFn: async ({ keys, nodeId }: { keys: string[]; nodeId: number | null }) => {
      setSeen(0)
      for (const identity of keys) answered(await api.POST('/api/v1/recovery-keys', { body: { identity } }))
      let whole: Step = { found: 0, records: 0, copies: 0, known: 0, tasks: [], nodes: [], skipped: [], unknownKeys: [] }
      let after: string | null = null
      do {
        const step: Step = answered(await api.POST('/api/v1/targets/{id}/import', { params: { path: { id } }, body: { dryRun: false, nodeId, after } }))
        whole = together(whole, step)
        setSeen(whole.found)
        after = step.next ?? null
      } while (after !== null)
      return whole
    },
    // Much of what is shown anywhere may have changed, also by an import that ended early.
    onSettled: () => { void cache.invalidateQueries() },
  })
  return { run, seen }
}

/** Names of targets by id. */
export function useTargetNames(): (id: number) => string {
  const targets = useTargets().data
  const names = new Map((targets ?? []).map((target) => [target.id, target.name]))
  return (id) => names.get(id) ?? `#${id}`
}
