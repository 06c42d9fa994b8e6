// Addresses of the console, kept behind the `#`: they work below any path and need nothing of the server. Pages come when they are needed.
import { createHashHistory, createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { choice, number, text } from '../lib/search'
import { Broken, Missing } from './Lost'
import { Shell } from './Shell'

const RECORD_STATES = ['queued', 'running', 'success', 'degraded', 'failed', 'cancelled', 'missed'] as const
const OPERATION_KINDS = ['restore', 'verify', 'copy', 'delete'] as const
const OPERATION_STATES = ['queued', 'running', 'success', 'failed', 'cancelled'] as const
const TASK_STATES = ['on', 'off', 'trouble', 'never'] as const
const KINDS = ['file', 'mysql', 'postgresql', 'sqlite', 'mongodb', 'saphana'] as const
const NODE_STATES = ['online', 'busy', 'offline', 'new', 'drift'] as const

type Raw = Record<string, unknown>

/** What an address may say, and need not. */
function some<T extends object>(found: T): { [K in keyof T]?: T[K] } {
  return found
}

const root = createRootRoute({ component: Shell, notFoundComponent: Missing })

const at = <P extends string>(path: P) => ({ getParentRoute: () => root, path })

const overview = createRoute({ ...at('/'), component: lazyRouteComponent(() => import('../features/overview/Overview'), 'Overview') })
const start = createRoute({ ...at('/start'), component: lazyRouteComponent(() => import('../features/start/StartPage'), 'StartPage') })

const tasks = createRoute({
  ...at('/tasks'),
  validateSearch: (raw: Raw) => some({ q: text(raw.q), state: choice(raw.state, TASK_STATES), kind: choice(raw.kind, KINDS), node: number(raw.node), target: number(raw.target) }),
  component: lazyRouteComponent(() => import('../features/tasks/TaskList'), 'TaskList'),
})
const newTask = createRoute({
  ...at('/tasks/new'),
  validateSearch: (raw: Raw) => some({ clone: number(raw.clone), node: number(raw.node), target: number(raw.target) }),
  component: lazyRouteComponent(() => import('../features/tasks/form/NewTask'), 'NewTask'),
})
const task = createRoute({
  ...at('/tasks/$id'),
  validateSearch: (raw: Raw) => some({ tab: choice(raw.tab, ['settings', 'retention'] as const) }),
  component: lazyRouteComponent(() => import('../features/tasks/TaskPage'), 'TaskPage'),
})
const editTask = createRoute({ ...at('/tasks/$id/edit'), component: lazyRouteComponent(() => import('../features/tasks/form/EditTask'), 'EditTask') })

const records = createRoute({
  ...at('/records'),
  validateSearch: (raw: Raw) => some({ status: choice(raw.status, RECORD_STATES), task: number(raw.task), node: number(raw.node) }),
  component: lazyRouteComponent(() => import('../features/records/RecordList'), 'RecordList'),
})
const record = createRoute({
  ...at('/records/$id'),
  validateSearch: (raw: Raw) => some({ tab: choice(raw.tab, ['files', 'checks'] as const) }),
  component: lazyRouteComponent(() => import('../features/records/RecordPage'), 'RecordPage'),
})
const operations = createRoute({
  ...at('/operations'),
  validateSearch: (raw: Raw) => some({ kind: choice(raw.kind, OPERATION_KINDS), status: choice(raw.status, OPERATION_STATES) }),
  component: lazyRouteComponent(() => import('../features/restores/OperationList'), 'OperationList'),
})
const operation = createRoute({ ...at('/operations/$id'), component: lazyRouteComponent(() => import('../features/restores/OperationPage'), 'OperationPage') })
const restore = createRoute({
  ...at('/restore'),
  validateSearch: (raw: Raw) => some({ task: number(raw.task), record: number(raw.record) }),
  component: lazyRouteComponent(() => import('../features/restores/RestorePage'), 'RestorePage'),
})

const nodes = createRoute({
  ...at('/nodes'),
  validateSearch: (raw: Raw) => some({ q: text(raw.q), state: choice(raw.state, NODE_STATES), label: text(raw.label) }),
  component: lazyRouteComponent(() => import('../features/nodes/NodeList'), 'NodeList'),
})
const newNode = createRoute({ ...at('/nodes/new'), component: lazyRouteComponent(() => import('../features/nodes/JoinPage'), 'JoinPage') })
const node = createRoute({
  ...at('/nodes/$id'),
  validateSearch: (raw: Raw) => some({ path: text(raw.path) }),
  component: lazyRouteComponent(() => import('../features/nodes/NodePage'), 'NodePage'),
})

const storage = createRoute({ ...at('/storage'), component: lazyRouteComponent(() => import('../features/targets/TargetList'), 'TargetList') })
const newTarget = createRoute({
  ...at('/storage/new'),
  validateSearch: (raw: Raw) => some({ kind: text(raw.kind), q: text(raw.q), from: choice(raw.from, ['start'] as const) }),
  component: lazyRouteComponent(() => import('../features/targets/NewTarget'), 'NewTarget'),
})
const target = createRoute({ ...at('/storage/$id'), component: lazyRouteComponent(() => import('../features/targets/TargetPage'), 'TargetPage') })

const settings = createRoute({
  ...at('/settings'),
  validateSearch: (raw: Raw) => some({ tab: choice(raw.tab, ['users', 'keys', 'master'] as const) }),
  component: lazyRouteComponent(() => import('../features/settings/SettingsPage'), 'SettingsPage'),
})

const tree = root.addChildren([overview, start, tasks, newTask, task, editTask, records, record, operations, operation, restore, nodes, newNode, node, storage, newTarget, target, settings])

export const router = createRouter({
  routeTree: tree,
  history: createHashHistory(),
  defaultErrorComponent: Broken,
  defaultPreload: 'intent',
  scrollRestoration: false,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
