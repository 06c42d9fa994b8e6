import { describe, expect, it } from 'vitest'
import type { Task } from '../../../api/client'
import { draftOf, fresh, inputOf, lacks, lines, stepOf } from './draft'

const task: Task = {
  id: 7, name: 'shop', nodeId: 3, pool: null, targetIds: [1, 2], version: 4, enabled: true, createdAt: '', updatedAt: '',
  source: { type: 'postgresql', server: { host: 'db1', port: 5433, user: 'backup', tls: 'verify', tlsCa: '/ca.pem', passwordFile: '/secret' }, databases: { only: ['shop'], except: [] }, accounts: false, format: 'physical', walArchive: '/wal' },
  schedule: { cron: '0 4 * * *', timezone: 'Europe/Berlin', catchUp: 'all', jitterSecs: 600, maintenance: [{ from: '08:00', to: '18:00' }] },
  after: { taskIds: [9], when: 'any' }, retention: { keepDaily: 5 }, compression: 'gzip', encrypt: true, extraRecipients: ['age1x'], guard: { enabled: false, growthPercent: 900, shrinkPercent: 80 },
  hooks: { before: ['quiesce'] }, maxCores: 2, maxUnreadable: 3, timeLimitSecs: 7200, verify: [{ mode: 'full', cron: '@weekly', timezone: 'UTC' }, { mode: 'drill', cron: '@monthly' }], drill: { timeLimitSecs: 60 }, secretsSet: ['password'],
}

describe('a task in a form', () => {
  it('comes out as it went in', () => {
    const input = inputOf(draftOf(task), task)
    expect(input.source).toMatchObject(task.source)
    expect(input.schedule).toEqual(task.schedule)
    expect(input.verify).toEqual(task.verify)
    expect(input).toMatchObject({ name: 'shop', nodeId: 3, targetIds: [1, 2], after: task.after, compression: 'gzip', encrypt: true, extraRecipients: ['age1x'], hooks: task.hooks, drill: task.drill, maxCores: 2, maxUnreadable: 3, timeLimitSecs: 7200 })
    expect(input.guard).toEqual(task.guard)
    expect(input).not.toHaveProperty('secrets')
  })

  it('keeps nothing of a server when it becomes files', () => {
    const input = inputOf({ ...draftOf(task), kind: 'file', paths: '/etc\n\n /srv ' }, task)
    expect(input.source).toEqual({ type: 'file', paths: ['/etc', '/srv'], excludes: [], oneFileSystem: false, skipCacheDirs: true })
  })

  it('runs on a node or in a pool, never both', () => {
    expect(inputOf({ ...fresh('UTC'), place: 'pool', pool: 'db' })).not.toHaveProperty('nodeId')
    expect(inputOf(fresh('UTC'))).toMatchObject({ nodeId: 0 })
  })

  it('says what is missing on each step', () => {
    const empty = fresh('UTC')
    expect(lacks(empty, 'what')).toEqual(['name', 'paths'])
    expect(lacks({ ...empty, name: 'a', kind: 'mysql' }, 'what')).toEqual([])
    expect(lacks(empty, 'where')).toEqual(['targets'])
    expect(lacks({ ...empty, cron: ' ' }, 'when')).toEqual(['cron'])
    expect(lacks({ ...empty, cron: ' ', scheduled: false }, 'when')).toEqual([])
  })

  it('sends a password only when one was typed', () => {
    expect(inputOf({ ...fresh('UTC'), kind: 'mysql', password: 'x' })).toMatchObject({ secrets: { password: 'x' } })
  })

  it('finds the step of what the master refuses', () => {
    expect(['name', 'source.server.host', 'targetIds', 'schedule.cron', 'retention.keepLast', 'maxCores'].map(stepOf)).toEqual(['what', 'what', 'where', 'when', 'keep', 'options'])
  })

  it('takes lines as they are meant', () => {
    expect(lines(' a \n\n b')).toEqual(['a', 'b'])
  })
})
