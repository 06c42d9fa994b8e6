// The mark of a kind of storage: its group's sign, drawn by us. Marks of companies belong to them.
import { Icon, type IconName } from '../../ui/Icon'
import type { Group } from './fields'

const ICONS: Record<Group, IconName> = { own: 'folder', s3: 'storage', cloud: 'cloud', network: 'nodes', drive: 'drive', bridge: 'bridge' }

export function KindMark({ title, group }: { title: string; group: Group }) {
  return <span className={`kind-mark kind-${group}`} data-title={title}><Icon name={ICONS[group]} /></span>
}
