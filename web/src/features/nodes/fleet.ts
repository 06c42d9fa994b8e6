// Figures about the fleet.
import type { BackupRecord, Node } from '../../api/client'

/** How many of these runs each node has. */
export function work(records: readonly BackupRecord[] | undefined): Map<number, number> {
  const found = new Map<number, number>()
  for (const record of records ?? []) {
    if (typeof record.nodeId === 'number') found.set(record.nodeId, (found.get(record.nodeId) ?? 0) + 1)
  }
  return found
}

/** The version that nodes are measured by: the master's own, or what most of them run. */
export function masterVersion(nodes: readonly Node[]): string | undefined {
  const local = nodes.find((node) => node.local)?.facts?.version
  if (local) return local
  const counts = new Map<string, number>()
  for (const node of nodes) if (node.facts) counts.set(node.facts.version, (counts.get(node.facts.version) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
}
