// A master of the built binary in a folder of its own, agents beside it, and the servers that tests/run started.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './until'

const BINARY = variable('BACKUPX_BIN')
export const PASSWORD = 'a long enough password'

/** What tests/run tells; a test without its server fails. */
export function variable(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run tests/run console`)
  return value
}

export interface S3 {
  endpoint: string
  bucket: string
  region: string
  accessKeyId: string
  secretAccessKey: string
}

export function s3(): S3 {
  const part = (name: string) => variable(`BACKUPX_TEST_S3_${name}`)
  return { endpoint: part('ENDPOINT'), bucket: part('BUCKET'), region: part('REGION'), accessKeyId: part('KEY'), secretAccessKey: part('SECRET') }
}

/** Port and tools of a PostgreSQL server that lets backupx in without a password. */
export function postgres(): { port: number; psql: string; tools: string } {
  const [port = '', tools = ''] = variable('BACKUPX_TEST_POSTGRESQL_17').split(':')
  return { port: Number(port), psql: join(tools, 'psql'), tools }
}

/** Runs SQL there. */
export function sql(database: string, text: string): string {
  const { port, psql } = postgres()
  return execFileSync(psql, ['-h', '127.0.0.1', '-p', String(port), '-U', 'backupx', '-d', database, '-v', 'ON_ERROR_STOP=1', '-Atc', text], { encoding: 'utf8' }).trim()
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => { if (address && typeof address === 'object') resolve(address.port); else reject(new Error('no port')) })
    })
  })
}

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'backupx-console-'))
  readonly processes: ChildProcess[] = []
  private token = ''

  private constructor(readonly url: string) {}

  /** A master that runs and has no account yet. */
  static async start(more: Record<string, string> = {}): Promise<World> {
    const port = await freePort()
    const world = new World(`http://127.0.0.1:${port}`)
    world.run('server', ['server'], { BACKUPX_LISTEN: `127.0.0.1:${port}`, BACKUPX_DATA_DIR: world.path('data'), ...more })
    await until('the master is ready', async () => (await fetch(`${world.url}/ready`)).ok)
    return world
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts)
  }

  /** Writes files below the folder of the world; answers the path of the tree. */
  tree(name: string, files: Record<string, string>): string {
    for (const [file, text] of Object.entries(files)) {
      const path = this.path(name, file)
      mkdirSync(join(path, '..'), { recursive: true })
      writeFileSync(path, text)
    }
    return this.path(name)
  }

  log(name: string): string {
    return readFileSync(this.path(`${name}.log`), 'utf8')
  }

  private run(name: string, args: string[], env: Record<string, string>): ChildProcess {
    const out = openSync(this.path(`${name}.log`), 'a')
    const child = spawn(BINARY, args, { cwd: this.folder, env: { PATH: process.env.PATH, HOME: this.folder, ...env }, stdio: ['ignore', out, out] })
    closeSync(out)
    this.processes.push(child)
    return child
  }

  /** An agent as somebody starts it with what the console shows. */
  agent(name: string, token: string): ChildProcess {
    writeFileSync(this.path(`${name}.token`), token, { mode: 0o600 })
    return this.run(`agent-${name}`, ['agent', '--master', this.url, '--token-file', this.path(`${name}.token`)], {})
  }

  /** The one-time code that the master printed. */
  code(): string {
    const found = /one-time code: (\S+)/.exec(this.log('server'))?.[1]
    if (!found) throw new Error('the master printed no code')
    return found
  }

  /** Makes the first administrator without a browser. */
  async setUp(): Promise<void> {
    await this.ask('POST', '/set-up', { code: this.code(), username: 'admin', password: PASSWORD })
    this.token = (await this.ask<{ token: string }>('POST', '/sessions', { username: 'admin', password: PASSWORD })).token
  }

  /** A call of the API. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', accept: 'application/json', ...(this.token && { authorization: `Bearer ${this.token}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  /** A node with an agent that is online. */
  async node(name: string, labels: string[] = []): Promise<{ id: number; agent: ChildProcess }> {
    const made = await this.ask<{ id: number; token: string }>('POST', '/nodes', { name, labels })
    const agent = this.agent(name, made.token)
    await until(`node ${name} is online`, async () => (await this.ask<{ status: string }>('GET', `/nodes/${made.id}`)).status === 'online')
    return { id: made.id, agent }
  }

  /** Runs a task and waits for the end of the run. */
  async runTask(id: number): Promise<{ id: number; status: string }> {
    const record = await this.ask<{ id: number }>('POST', `/tasks/${id}/run`)
    return await until(`run ${record.id} is over`, async () => {
      const now = await this.ask<{ id: number; status: string }>('GET', `/records/${record.id}`)
      return ['queued', 'running'].includes(now.status) ? undefined : now
    })
  }

  async stop(): Promise<void> {
    for (const child of [...this.processes].reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await ended
      clearTimeout(timer)
    }
    if (!process.env.BACKUPX_KEEP) rmSync(this.folder, { recursive: true, force: true })
  }
}
