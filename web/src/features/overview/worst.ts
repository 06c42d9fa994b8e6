// What needs somebody, the worst first.
import type { BackupRecord, Node, Target, Task } from '../../api/client'

export type Trouble =
  | { kind: 'run'; status: 'missed' | 'failed' | 'degraded'; record: BackupRecord }
  | { kind: 'alarm'; record: BackupRecord }
  | { kind: 'drill'; record: BackupRecord }
  | { kind: 'offline'; node: Node; tasks: number }
  | { kind: 'lost'; target: Target }
  | { kind: 'target'; target: Target }
  | { kind: 'late'; task: Task }

const ORDER = ['missed', 'failed', 'lost', 'alarm', 'drill', 'late', 'offline', 'degraded', 'target'] as const

function rank(trouble: Trouble): number {
  return ORDER.indexOf(trouble.kind === 'run' ? trouble.status : trouble.kind)
}

function isBad(status: BackupRecord['status']): status is 'missed' | 'failed' | 'degraded' {
  return status === 'missed' || status === 'failed' || status === 'degraded'
}

/** So late is a run that was due when nothing has come of it: the master looks every few seconds. */
const LATE_MS = 10 * 60_000

interface Known {
  tasks: readonly Task[]
  /** Of each task that may be in trouble its last runs, newest first. */
  strips: ReadonlyMap<number, readonly BackupRecord[]>
  nodes: readonly Node[]
  targets: readonly Target[]
  now: number
}

export function troubles({ tasks, strips, nodes, targets, now }: Known): Trouble[] {
  const found: Trouble[] = []
  for (const task of tasks) {
    if (task.enabled && task.nextRunAt && Date.parse(task.nextRunAt) < now - LATE_MS) found.push({ kind: 'late', task })
    const ended = strips.get(task.id)?.filter((record) => record.finishedAt && record.status !== 'cancelled')
    const last = ended?.[0]
    if (!last) continue
    if (isBad(last.status)) found.push({ kind: 'run', status: last.status, record: last })
    if (last.alarm && !last.alarm.accepted) found.push({ kind: 'alarm', record: last })
    const drilled = ended.find((record) => record.drill)
    if (drilled?.drill && !drilled.drill.held) found.push({ kind: 'drill', record: drilled })
  }
  for (const node of nodes) {
    if (node.status === 'offline') found.push({ kind: 'offline', node, tasks: tasks.filter((task) => task.nodeId === node.id).length })
  }
  for (const target of targets) {
    if (target.lastCheck && (target.lastCheck.lost > 0 || target.lastCheck.failure)) found.push({ kind: 'lost', target })
    if (target.lastTest && !target.lastTest.ok) found.push({ kind: 'target', target })
  }
  return found.sort((a, b) => rank(a) - rank(b))
}

/** The newest run of a task that can be restored from. */
export function lastGood(records: readonly BackupRecord[] | undefined): BackupRecord | undefined {
  return records?.find((record) => record.copies.some((copy) => copy.status === 'good'))
}

export interface Day {
  /** Its midnight in the reader's zone. */
  at: number
  stored: number
  runs: number
}

const DAY_MS = 86_400_000

/** What was stored on each of the last `days` days that `records` (newest first) cover; `whole` says that no older ones exist. */
export function perDay(records: readonly BackupRecord[], whole: boolean, days: number, now: number): Day[] {
  const midnight = new Date(now).setHours(0, 0, 0, 0)
  const oldest = records.at(-1)
  const result: Day[] = []
  for (let back = days - 1; back >= 0; back -= 1) {
    const at = new Date(midnight - back * DAY_MS + DAY_MS / 2).setHours(0, 0, 0, 0)
    const covered = whole || (oldest !== undefined && Date.parse(oldest.createdAt) < at)
    if (covered) result.push({ at, stored: 0, runs: 0 })
  }
  for (const record of records) {
    const day = result.findLast((one) => one.at <= Date.parse(record.createdAt))
    if (!day) continue
    day.stored += record.storedBytes
    day.runs += 1
  }
  return result
}
