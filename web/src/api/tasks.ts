// Tasks: what is backed up, from where to where, when, and how long it is kept.
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { all, answered, api, held, tagged, type Schemas } from './client'
import { firstInto } from './queries'

const TASKS = ['tasks'] as const

export const everyTask = queryOptions({
  queryKey: [...TASKS, 'list'],
  queryFn: ({ client, queryKey }) => all(async (query) => answered(await api.GET('/api/v1/tasks', { params: { query } })), firstInto(client, queryKey)),
  staleTime: 10_000,
})

/** Every task. */
export function useTasks() {
  return useQuery({ ...everyTask, refetchInterval: 60_000 })
}

export function useTask(id: number) {
  return useQuery({
    queryKey: [...TASKS, id],
    queryFn: async () => tagged(await api.GET('/api/v1/tasks/{id}', { params: { path: { id } } })),
    refetchInterval: 30_000,
  })
}

export function useNextRuns(id: number, version: number) {
  return useQuery({
    queryKey: [...TASKS, id, 'next-runs', version],
    queryFn: async () => answered(await api.GET('/api/v1/tasks/{id}/next-runs', { params: { path: { id }, query: { count: 5 } } })).nextRuns,
    refetchInterval: 60_000,
  })
}

/** Which copies retention keeps, and why. */
export function useRetentionPlan(id: number) {
  return useQuery({
    queryKey: [...TASKS, id, 'retention'],
    queryFn: async () => answered(await api.GET('/api/v1/tasks/{id}/retention', { params: { path: { id } } })).decisions,
  })
}

/** When a schedule fires, before it is anybody's. */
export function useSchedulePreview(schedule: Schemas['Schedule'] | null) {
  return useQuery({
    queryKey: ['schedule-preview', schedule],
    queryFn: async () => {
      if (!schedule) return []
      return answered(await api.POST('/api/v1/schedules/preview', { body: { schedule, count: 5 } })).nextRuns
    },
    enabled: schedule !== null,
    retry: false,
    staleTime: 60_000,
    placeholderData: (before) => before,
  })
}

export function useTaskActions() {
  const cache = useQueryClient()
  // Not waited for: whoever asked goes on at once.
  const onSuccess = () => {
    void cache.invalidateQueries({ queryKey: TASKS })
    void cache.invalidateQueries({ queryKey: ['records'] })
  }
  return {
    add: useMutation({ mutationFn: async (body: Schemas['TaskInput']) => answered(await api.POST('/api/v1/tasks', { body })), onSuccess }),
    edit: useMutation({
      mutationFn: async ({ id, tag, body }: { id: number; tag: string; body: Schemas['TaskInput'] }) =>
        answered(await api.PUT('/api/v1/tasks/{id}', { params: { path: { id }, header: { 'If-Match': tag } }, body })),
      onSuccess,
    }),
    run: useMutation({ mutationFn: async (id: number) => answered(await api.POST('/api/v1/tasks/{id}/run', { params: { path: { id } } })), onSuccess }),
    test: useMutation({ mutationFn: async (id: number) => answered(await api.POST('/api/v1/tasks/{id}/test', { params: { path: { id } }, body: {} })) }),
    enable: useMutation({ mutationFn: async (id: number) => answered(await api.POST('/api/v1/tasks/{id}/enable', { params: { path: { id } } })), onSuccess }),
    disable: useMutation({
      mutationFn: async ({ id, body = {} }: { id: number; body?: Schemas['DisableTask'] }) => answered(await api.POST('/api/v1/tasks/{id}/disable', { params: { path: { id } }, body })),
      onSuccess,
    }),
    remove: useMutation({ mutationFn: async (id: number) => { held(await api.DELETE('/api/v1/tasks/{id}', { params: { path: { id } } })) }, onSuccess }),
  }
}
