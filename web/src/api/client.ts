// The typed client of the master that served this page. The browser's cookie says who asks.
import createClient from 'openapi-fetch'
import type { components, paths } from './schema'

export type Schemas = components['schemas']
export type Node = Schemas['Node']
export type Target = Schemas['Target']
export type TargetType = Schemas['TargetType']
export type Task = Schemas['Task']
export type BackupRecord = Schemas['Record']
export type Operation = Schemas['Operation']
export type LogLine = Schemas['LogLine']
export type Progress = Schemas['Progress']

/** The console's own folder, whatever path it is served below; no slash at its end. */
const base = new URL('.', document.baseURI).href.replace(/\/$/, '')

/** The address of a path of the master. */
export function address(path: string): string {
  return base + path
}

export const api = createClient<paths>({ baseUrl: base, credentials: 'same-origin' })

/** A refusal of the master. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly fields: ReadonlyMap<string, string> = new Map(),
  ) {
    super(detail)
    this.name = 'Refusal'
  }
}

/** What is wrong with the fields of a form, by their names. */
export function fieldsOf(error: Error | null): ReadonlyMap<string, string> {
  return error instanceof Refusal ? error.fields : new Map<string, string>()
}

interface Outcome<T> {
  data?: T
  error?: unknown
  response: Response
}

/** What was answered; anything else becomes a refusal. */
export function answered<T>(outcome: Outcome<T>): T {
  if (outcome.data !== undefined) return outcome.data
  throw refusal(outcome.response.status, outcome.error)
}

/** What was answered, with the tag that an update of it needs. */
export function tagged<T>(outcome: Outcome<T>): T & { tag: string } {
  return { ...answered(outcome), tag: outcome.response.headers.get('etag') ?? '' }
}

/** Checks that a call without an answer held. */
export function held(outcome: { error?: unknown; response: Response }): void {
  if (!outcome.response.ok) throw refusal(outcome.response.status, outcome.error)
}

function refusal(status: number, body: unknown): Refusal {
  if (typeof body !== 'object' || body === null || !('detail' in body)) return new Refusal(status, '', '')
  const problem = body as Schemas['Problem']
  const fields = new Map((problem.errors ?? []).map((field) => [field.field, field.message]))
  return new Refusal(status, problem.code, problem.detail, fields)
}

interface Page<T> {
  items: T[]
  nextCursor?: string | null
}

const FIRST = 60
const PAGE = 500
/** No list is longer here: what is behind is found by a search at the command line. */
const MOST = 20_000

/** Every item of a list, page after page; `onFirst` hears of the first ones, so that something is there while the rest comes. */
export async function all<T>(ask: (query: { limit: number; cursor?: string }) => Promise<Page<T>>, onFirst?: (items: T[]) => void): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const page = await ask({ limit: onFirst && cursor === undefined ? FIRST : PAGE, ...(cursor !== undefined && { cursor }) })
    items.push(...page.items)
    if (cursor === undefined && page.nextCursor) onFirst?.([...items])
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined && items.length < MOST)
  return items
}
