// A task while somebody fills it in: flat, so that each field is one value, and turned into what the master takes at the end.
import type { Schemas, Task } from '../../../api/client'
import type { Rule } from '../../../lib/retention'

export type Kind = Schemas['Source']['type']
type Server = Schemas['DatabaseServer']

export interface Draft {
  name: string
  kind: Kind
  place: 'node' | 'pool'
  nodeId: number
  pool: string
  /** One a line, as typed. */
  paths: string
  excludes: string
  oneFileSystem: boolean
  skipCacheDirs: boolean
  host: string
  port: string
  socket: string
  user: string
  password: string
  tls: NonNullable<Server['tls']>
  tlsCa: string
  tools: string
  only: string
  except: string
  accounts: boolean
  format: Schemas['PostgresqlFormat']
  authDatabase: string
  level: Schemas['SaphanaLevel']
  targetIds: readonly number[]
  scheduled: boolean
  cron: string
  timezone: string
  catchUp: Schemas['CatchUp']
  jitterMinutes: number
  after: readonly number[]
  afterWhen: Schemas['AfterWhen']
  retention: Rule
  compression: Schemas['Compression']
  encrypt: boolean
  recipients: string
  maxUnreadable: number
  timeLimitHours: number
  maxCores: number
  verifyMode: '' | Schemas['VerifyMode']
  verifyCron: string
  guard: boolean
}

export function lines(text: string): string[] {
  return text.split('\n').map((line) => line.trim()).filter(Boolean)
}

export function fresh(timezone: string): Draft {
  return {
    name: '', kind: 'file', place: 'node', nodeId: 0, pool: '',
    paths: '', excludes: '', oneFileSystem: false, skipCacheDirs: true,
    host: '', port: '', socket: '', user: '', password: '', tls: 'prefer', tlsCa: '', tools: '', only: '', except: '', accounts: true, format: 'custom', authDatabase: '', level: 'full',
    targetIds: [],
    scheduled: true, cron: '30 2 * * *', timezone, catchUp: 'once', jitterMinutes: 0, after: [], afterWhen: 'all',
    retention: { keepLast: 3, keepDaily: 14, keepWeekly: 8, keepMonthly: 12, keepYearly: 0 },
    compression: 'zstd', encrypt: true, recipients: '', maxUnreadable: 100, timeLimitHours: 0, maxCores: 0,
    verifyMode: 'quick', verifyCron: '0 5 * * 0', guard: true,
  }
}

/** A task that is there, to be changed or copied. */
export function draftOf(task: Task): Draft {
  const { source, schedule } = task
  const files = source.type === 'file' || source.type === 'sqlite'
  const server: Server = files ? {} : (source.server ?? {})
  const selection = files ? {} : (source.databases ?? {})
  const plan = task.verify[0]
  return {
    ...fresh(schedule?.timezone ?? 'UTC'),
    name: task.name,
    kind: source.type,
    place: task.pool == null ? 'node' : 'pool',
    nodeId: task.nodeId ?? 0,
    pool: task.pool ?? '',
    paths: files ? source.paths.join('\n') : '',
    ...(source.type === 'file' && { excludes: (source.excludes ?? []).join('\n'), oneFileSystem: source.oneFileSystem ?? false, skipCacheDirs: source.skipCacheDirs ?? true }),
    host: server.host ?? '', port: server.port == null ? '' : String(server.port), socket: server.socket ?? '', user: server.user ?? '', tls: server.tls ?? 'prefer', tlsCa: server.tlsCa ?? '',
    tools: files ? '' : (source.tools ?? ''),
    only: (selection.only ?? []).join('\n'), except: (selection.except ?? []).join('\n'),
    ...((source.type === 'mysql' || source.type === 'postgresql') && { accounts: source.accounts ?? true }),
    ...(source.type === 'postgresql' && { format: source.format ?? 'custom' }),
    ...(source.type === 'mongodb' && { authDatabase: source.authDatabase ?? '' }),
    ...(source.type === 'saphana' && { level: source.level ?? 'full' }),
    targetIds: task.targetIds,
    scheduled: schedule != null,
    ...(schedule && { cron: schedule.cron, catchUp: schedule.catchUp ?? 'once', jitterMinutes: Math.round((schedule.jitterSecs ?? 0) / 60) }),
    after: task.after?.taskIds ?? [],
    afterWhen: task.after?.when ?? 'all',
    retention: { keepLast: 0, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0, ...task.retention },
    compression: task.compression,
    encrypt: task.encrypt,
    recipients: task.extraRecipients.join('\n'),
    maxUnreadable: task.maxUnreadable,
    timeLimitHours: Math.round((task.timeLimitSecs ?? 0) / 3600),
    maxCores: task.maxCores ?? 0,
    verifyMode: plan?.mode ?? '',
    verifyCron: plan?.cron ?? '0 5 * * 0',
    guard: task.guard.enabled ?? true,
  }
}

function sourceOf(draft: Draft, before: Schemas['Source'] | undefined): Schemas['Source'] {
  const kept = before?.type === draft.kind && before.type !== 'file' && before.type !== 'sqlite' ? before : undefined
  const text = (value: string) => (value.trim() === '' ? null : value.trim())
  const server: Server = { ...kept?.server, host: text(draft.host), port: draft.port.trim() === '' ? null : Number(draft.port), socket: text(draft.socket), user: text(draft.user), tls: draft.tls, tlsCa: text(draft.tlsCa) }
  const databases = { only: lines(draft.only), except: lines(draft.except) }
  const tools = text(draft.tools)
  switch (draft.kind) {
    case 'file':
      return { type: 'file', paths: lines(draft.paths), excludes: lines(draft.excludes), oneFileSystem: draft.oneFileSystem, skipCacheDirs: draft.skipCacheDirs }
    case 'sqlite':
      return { type: 'sqlite', paths: lines(draft.paths) }
    case 'mysql':
      return { ...(kept?.type === 'mysql' && kept), type: 'mysql', server, databases, tools, accounts: draft.accounts }
    case 'postgresql':
      return { ...(kept?.type === 'postgresql' && kept), type: 'postgresql', server, databases, tools, accounts: draft.accounts, format: draft.format }
    case 'mongodb':
      return { ...(kept?.type === 'mongodb' && kept), type: 'mongodb', server, databases, tools, authDatabase: text(draft.authDatabase) }
    case 'saphana':
      return { ...(kept?.type === 'saphana' && kept), type: 'saphana', server, databases, tools, level: draft.level }
  }
}

/** What is sent: the draft, over what the task has beside it that the form does not show. */
export function inputOf(draft: Draft, before?: Task): Schemas['TaskInput'] {
  const schedule = draft.scheduled
    ? { ...before?.schedule, cron: draft.cron.trim(), timezone: draft.timezone, catchUp: draft.catchUp, jitterSecs: draft.jitterMinutes * 60 }
    : null
  const others = (before?.verify ?? []).slice(1)
  const plan = draft.verifyMode === '' ? [] : [{ ...before?.verify[0], mode: draft.verifyMode, cron: draft.verifyCron.trim() }]
  return {
    name: draft.name.trim(),
    source: sourceOf(draft, before?.source),
    targetIds: [...draft.targetIds],
    ...(draft.place === 'pool' ? { pool: draft.pool.trim() } : { nodeId: draft.nodeId }),
    schedule,
    after: draft.after.length > 0 ? { taskIds: [...draft.after], when: draft.afterWhen } : null,
    retention: draft.retention,
    compression: draft.compression,
    encrypt: draft.encrypt,
    extraRecipients: lines(draft.recipients),
    maxUnreadable: draft.maxUnreadable,
    maxCores: draft.maxCores === 0 ? null : draft.maxCores,
    timeLimitSecs: draft.timeLimitHours === 0 ? null : draft.timeLimitHours * 3600,
    verify: [...plan, ...others],
    guard: { ...before?.guard, enabled: draft.guard },
    ...(before?.hooks && { hooks: before.hooks }),
    ...(before?.drill && { drill: before.drill }),
    ...(draft.password !== '' && { secrets: { password: draft.password } }),
  }
}

export const STEPS = ['what', 'where', 'when', 'keep', 'options'] as const
export type Step = (typeof STEPS)[number]

/** What a step still lacks, as keys of messages; nothing when one may go on. */
export function lacks(draft: Draft, step: Step): ('name' | 'paths' | 'pool' | 'targets' | 'cron')[] {
  switch (step) {
    case 'what':
      return [
        ...(draft.name.trim() === '' ? (['name'] as const) : []),
        ...((draft.kind === 'file' || draft.kind === 'sqlite') && lines(draft.paths).length === 0 ? (['paths'] as const) : []),
        ...(draft.place === 'pool' && draft.pool.trim() === '' ? (['pool'] as const) : []),
      ]
    case 'where':
      return draft.targetIds.length === 0 ? ['targets'] : []
    case 'when':
      return draft.scheduled && draft.cron.trim() === '' ? ['cron'] : []
    case 'keep':
    case 'options':
      return []
  }
}

const FIELDS: readonly [RegExp, Step][] = [
  [/^(targetIds)/, 'where'],
  [/^(schedule|after)/, 'when'],
  [/^(retention)/, 'keep'],
  [/^(compression|encrypt|extraRecipients|maxUnreadable|maxCores|timeLimitSecs|verify|guard|hooks|drill)/, 'options'],
]

/** The step on which a field of the master's answer stands. */
export function stepOf(field: string): Step {
  return FIELDS.find(([pattern]) => pattern.test(field))?.[1] ?? 'what'
}
