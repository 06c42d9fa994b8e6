// The state of a record and of its copies, as badges.
import type { BackupRecord, Schemas } from '../../api/client'
import { messages } from '../../lib/messages'
import { Badge, type Tone } from '../../ui/Badge'

const STATUS: Record<BackupRecord['status'], Tone> = {
  queued: 'idle',
  running: 'busy',
  success: 'good',
  degraded: 'warn',
  failed: 'bad',
  cancelled: 'idle',
  missed: 'bad',
}

const COPY: Record<Schemas['CopyStatus'], Tone> = {
  pending: 'idle',
  good: 'good',
  failed: 'bad',
  deleting: 'idle',
  deleted: 'idle',
  lost: 'bad',
}

export function StatusBadge({ status }: { status: BackupRecord['status'] }) {
  return <Badge tone={STATUS[status]}>{messages.records.status[status]}</Badge>
}

export function CopyBadge({ status }: { status: Schemas['CopyStatus'] }) {
  return <Badge tone={COPY[status]}>{messages.records.copy[status]}</Badge>
}
