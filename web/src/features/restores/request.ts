// What a restore asks of the master, out of what somebody chose.
import type { BackupRecord, Schemas } from '../../api/client'

export interface Wanted {
  scope: 'all' | 'some'
  /** Archived paths, or names of databases. */
  picked: ReadonlySet<string>
  place: 'original' | 'folder'
  nodeId: number
  to: string
  rename: string
  overwrite: Schemas['Overwrite']
}

/** A folder beside is proposed first: nothing that is there is written over. */
export function fresh(record: BackupRecord): Wanted {
  return { scope: 'all', picked: new Set(), place: 'folder', nodeId: record.nodeId ?? 0, to: '', rename: '', overwrite: 'if-changed' }
}

/** Names of the dumps in a record: what stands before the ending of a stream that is no archive of files. */
export function databasesOf(record: BackupRecord): string[] {
  const names = record.streams.flatMap((stream) => {
    const found = /^(?:data\.)?(.+?)\.(?:sql|dump|sqlite3|archive|backup)(?:\.|$)/.exec(stream.name)
    return found?.[1] ? [found[1]] : []
  })
  return [...new Set(names)]
}

/** A path as a glob that means itself and all below it. */
export function literally(path: string): string {
  return path.replace(/[*?[\]{}\\]/g, '\\$&')
}

export function request(record: BackupRecord, wanted: Wanted, dryRun: boolean): Schemas['RestoreRequest'] {
  const isDatabase = databasesOf(record).length > 0
  const include = wanted.scope === 'all' ? [] : [...wanted.picked].map((path) => literally(path))
  const intoServer = isDatabase && wanted.place === 'original'
  return {
    recordId: record.id,
    nodeId: wanted.nodeId,
    to: wanted.place === 'folder' ? wanted.to : null,
    include,
    overwrite: wanted.overwrite,
    dryRun,
    ...(intoServer && wanted.rename !== '' && { database: { rename: wanted.rename } }),
  }
}
