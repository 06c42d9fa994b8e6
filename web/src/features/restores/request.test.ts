import { describe, expect, it } from 'vitest'
import type { BackupRecord } from '../../api/client'
import { databasesOf, fresh, literally, request } from './request'

const record = (names: string[]) => ({ id: 5, nodeId: 2, streams: names.map((name) => ({ name, encrypted: true, sha256: '', storedBytes: 1 })) }) as unknown as BackupRecord

describe('a restore', () => {
  it('goes beside what is there when nothing else is said', () => {
    expect(request(record(['data.tar.zst.age']), { ...fresh(record([])), to: '/restore' }, false)).toEqual({ recordId: 5, nodeId: 2, to: '/restore', include: [], overwrite: 'if-changed', dryRun: false })
  })

  it('takes paths as they are, whatever signs they hold', () => {
    expect(literally('/srv/a[1]*.txt')).toBe('/srv/a\\[1\\]\\*.txt')
  })

  it('takes what was picked', () => {
    const wanted = { ...fresh(record([])), scope: 'some' as const, picked: new Set(['/a', '/b']), place: 'original' as const }
    expect(request(record(['data.tar.zst']), wanted, true)).toMatchObject({ include: ['/a', '/b'], to: null, dryRun: true })
  })

  it('knows the databases of a record', () => {
    expect(databasesOf(record(['data.shop.dump.zst.age', 'data.shop.dump.zst.age', 'data.globals.sql.zst', 'data.tar.zst']))).toEqual(['shop', 'globals'])
    expect(databasesOf(record(['data.tar.zst.age']))).toEqual([])
  })

  it('gives a database another name', () => {
    const wanted = { ...fresh(record([])), place: 'original' as const, rename: 'shop2' }
    expect(request(record(['shop.dump.zst']), wanted, false)).toMatchObject({ database: { rename: 'shop2' }, to: null })
  })
})
