// The typed client of the master that served this page. The browser's cookie says who asks.
import createClient from 'openapi-fetch'
import type { components, paths } from './schema'

export type Schemas = components['schemas']
export type Node = Schemas['Node']
export type BackupRecord = Schemas['Record']
export type LogLine = Schemas['LogLine']
export type Progress = Schemas['Progress']

/** The console's own folder, whatever path it is served below; no slash at its end. */
const base = new URL('.', document.baseURI).href.replace(/\/$/, '')

/** The address of a path of the master. */
export function address(path: string): string {
  return base + path
}

export const api = createClient<paths>({ baseUrl: base, credentials: 'same-origin' })

/** A refusal of the master, or its silence. */
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

/** What was answered; anything else becomes a refusal. */
export function answered<T>(outcome: { data?: T; error?: unknown; response: Response }): T {
  if (outcome.data !== undefined) return outcome.data
  throw refusal(outcome.response.status, outcome.error)
}

/** Checks that a call without an answer held. */
export function held(outcome: { error?: unknown; response: Response }): void {
  if (!outcome.response.ok) throw refusal(outcome.response.status, outcome.error)
}

function refusal(status: number, body: unknown): Refusal {
  if (typeof body !== 'object' || body === null || !('detail' in body)) {
    return new Refusal(status, '', `The master answered ${status}.`)
  }
  const problem = body as Schemas['Problem']
  const fields = new Map((problem.errors ?? []).map((field) => [field.field, field.message]))
  return new Refusal(status, problem.code, problem.detail, fields)
}
