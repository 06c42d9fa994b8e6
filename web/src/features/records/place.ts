// Where a run runs or ran.
import type { BackupRecord } from '../../api/client'

/** The name of its node; nothing for a run that waits in a pool. */
export function placeOf(record: BackupRecord): string | undefined {
  return record.nodeName ?? (typeof record.nodeId === 'number' ? `#${record.nodeId}` : undefined)
}
