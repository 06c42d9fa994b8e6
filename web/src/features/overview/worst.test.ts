import { describe, expect, it } from 'vitest'
import type { BackupRecord, Node, Target, Task } from '../../api/client'
import { perDay, troubles } from './worst'

const now = Date.parse('2026-11-28T12:00:00Z')
const task = (id: number, more: Partial<Task> = {}) => ({ id, name: `t${id}`, enabled: true, nodeId: 1, ...more }) as Task
const run = (status: BackupRecord['status'], more: Partial<BackupRecord> = {}) => ({ status, finishedAt: status === 'running' ? null : '2026-11-28T11:00:00Z', createdAt: '2026-11-28T10:00:00Z', storedBytes: 0, ...more }) as BackupRecord
const known = (strips: [number, BackupRecord[]][], more = {}) => troubles({ tasks: strips.map(([id]) => task(id)), strips: new Map(strips), nodes: [], targets: [], now, ...more })

describe('what needs somebody', () => {
  it('stands with the worst first', () => {
    const found = known([[1, [run('degraded')]], [2, [run('failed')]], [3, [run('missed')]], [4, [run('success')]]])
    expect(found.map((one) => one.kind === 'run' && one.status)).toEqual(['missed', 'failed', 'degraded'])
  })

  it('is forgotten when a later run was good', () => {
    expect(known([[1, [run('success'), run('failed')]]])).toEqual([])
  })

  it('stays while a new attempt runs', () => {
    expect(known([[1, [run('running'), run('failed')]]])).toHaveLength(1)
  })

  it('does not count a run that somebody stopped', () => {
    expect(known([[1, [run('cancelled'), run('success')]]])).toEqual([])
    expect(known([[1, [run('cancelled'), run('failed')]]])).toHaveLength(1)
  })

  it('holds odd runs until somebody accepts them', () => {
    const odd = { findings: [{ code: 'shrunk', message: 'x' }] }
    expect(known([[1, [run('success', { alarm: odd })]]])[0]?.kind).toBe('alarm')
    expect(known([[1, [run('success', { alarm: { ...odd, accepted: { at: '', by: 'a', reason: '' } } })]]])).toEqual([])
  })

  it('holds a failed drill, also behind newer runs', () => {
    const drill = { at: '', held: false, operationId: 1 }
    expect(known([[1, [run('success'), run('success', { drill })]]])[0]?.kind).toBe('drill')
  })

  it('holds schedules that did not fire, nodes that are away and storage that fails', () => {
    const found = troubles({
      tasks: [task(1, { nextRunAt: '2026-11-28T11:00:00Z' }), task(2, { nextRunAt: '2026-11-28T11:59:00Z' }), task(3, { enabled: false, nextRunAt: '2026-11-01T00:00:00Z' })],
      strips: new Map(),
      nodes: [{ id: 1, status: 'offline' } as Node, { id: 2, status: 'new' } as Node],
      targets: [{ id: 1, lastTest: { ok: false, at: '', message: '' } } as Target],
      now,
    })
    expect(found.map((one) => one.kind)).toEqual(['late', 'offline', 'target'])
    expect(found[1]).toMatchObject({ tasks: 3 })
  })
})

describe('what was stored a day', () => {
  const at = (days: number) => new Date(now - days * 86_400_000).toISOString()

  it('is summed by the day', () => {
    const days = perDay([run('success', { createdAt: at(0), storedBytes: 3 }), run('success', { createdAt: at(1), storedBytes: 2 }), run('failed', { createdAt: at(1), storedBytes: 0 })], true, 3, now)
    expect(days.map((one) => [one.stored, one.runs])).toEqual([[0, 0], [2, 2], [3, 1]])
  })

  it('leaves out days that the records do not cover', () => {
    expect(perDay([run('success', { createdAt: at(0) }), run('success', { createdAt: at(1) })], false, 14, now)).toHaveLength(1)
  })
})
