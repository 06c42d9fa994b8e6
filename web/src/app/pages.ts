// The pages of the navigation, in its order.
import type { IconName } from '../ui/Icon'

export const PAGES = [
  { to: '/', name: 'overview', icon: 'overview' },
  { to: '/tasks', name: 'tasks', icon: 'tasks' },
  { to: '/records', name: 'runs', icon: 'runs' },
  { to: '/restore', name: 'restore', icon: 'restore' },
  { to: '/nodes', name: 'nodes', icon: 'nodes' },
  { to: '/storage', name: 'storage', icon: 'storage' },
  { to: '/settings', name: 'settings', icon: 'settings' },
] as const satisfies readonly { to: string; name: string; icon: IconName }[]

/** How many of them stand in the bar of a phone, beside the one that opens the rest. */
export const ON_PHONE = 4
