// States of records, copies, operations and nodes, as badges.
import { useTranslation } from 'react-i18next'
import type { BackupRecord, Node, Schemas } from '../api/client'
import { Badge, type Tone } from './Badge'

export type RecordStatus = BackupRecord['status']

export const RECORD_TONES: Record<RecordStatus, Tone> = {
  queued: 'idle',
  running: 'busy',
  success: 'good',
  degraded: 'warn',
  failed: 'bad',
  cancelled: 'idle',
  missed: 'bad',
}

const COPY: Record<Schemas['CopyStatus'], Tone> = { pending: 'idle', good: 'good', failed: 'bad', deleting: 'idle', deleted: 'idle', lost: 'bad' }
const OPERATION: Record<Schemas['OperationStatus'], Tone> = { queued: 'idle', running: 'busy', success: 'good', failed: 'bad', cancelled: 'idle' }
const NODE: Record<Node['status'], Tone> = { online: 'good', offline: 'bad', new: 'idle' }

export function StatusBadge({ status }: { status: RecordStatus }) {
  const { t } = useTranslation()
  return <Badge tone={RECORD_TONES[status]}>{t(`status.record.${status}`)}</Badge>
}

export function CopyBadge({ status }: { status: Schemas['CopyStatus'] }) {
  const { t } = useTranslation()
  return <Badge tone={COPY[status]}>{t(`status.copy.${status}`)}</Badge>
}

export function OperationBadge({ status }: { status: Schemas['OperationStatus'] }) {
  const { t } = useTranslation()
  return <Badge tone={OPERATION[status]}>{t(`status.operation.${status}`)}</Badge>
}

export function NodeBadge({ status, busy = false }: { status: Node['status']; busy?: boolean }) {
  const { t } = useTranslation()
  if (busy && status === 'online') return <Badge tone="busy">{t('status.node.busy')}</Badge>
  return <Badge tone={NODE[status]}>{t(`status.node.${status}`)}</Badge>
}
