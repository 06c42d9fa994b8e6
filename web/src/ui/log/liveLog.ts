// A log as it is written: server-sent events, and questions every few seconds where those do not get through.
import { answered, address, api, type LogLine } from '../../api/client'
import { whileVisible } from '../../lib/visible'

/** How the lines come in. */
export type Flow = 'live' | 'polling' | 'over'

/** Whose log: of a run, or of what is done with one. */
export interface Subject {
  kind: 'records' | 'operations'
  id: number
}

export interface LogView {
  lines: readonly LogLine[]
  /** Lines that were let go, so that the page stays quick. */
  hidden: number
  flow: Flow
}

const MOST_LINES = 20_000
const POLL_MS = 2_000
const PAGE = 500
/** So many broken streams in a row without a line mean that something in between does not let them through. */
const MOST_BREAKS = 3

/** The log of one subject, for `useSyncExternalStore`: it is read while somebody looks. */
export class LiveLog {
  private view: LogView = { lines: [], hidden: 0, flow: 'live' }
  private listener: (() => void) | undefined
  private stream: EventSource | undefined
  private timer: number | undefined
  private waiting: LogLine[] = []
  private frame: number | undefined
  private breaks = 0

  constructor(private readonly subject: Subject) {}

  readonly current = (): LogView => this.view

  readonly subscribe = (listener: () => void): (() => void) => {
    return whileVisible(() => {
      this.listener = listener
      if (this.view.flow === 'live') this.listen()
      else if (this.view.flow === 'polling') this.poll()
      return () => {
        this.listener = undefined
        this.stream?.close()
        window.clearTimeout(this.timer)
      }
    })
  }

  private listen(): void {
    // A stream that is opened anew resumes behind the last line that is here.
    const { kind, id } = this.subject
    const stream = new EventSource(address(`/api/v1/${kind}/${id}/logs?cursor=${this.last()}`), { withCredentials: true })
    this.stream = stream
    stream.addEventListener('line', (event: MessageEvent<string>) => {
      this.breaks = 0
      this.waiting.push(JSON.parse(event.data) as LogLine)
      // Thousands of lines may come at once: they are drawn together.
      this.frame ??= window.setTimeout(() => { this.take() }, 50)
    })
    stream.addEventListener('end', () => {
      stream.close()
      this.take()
      this.show({ flow: 'over' })
    })
    stream.addEventListener('error', () => {
      this.breaks += 1
      if (stream.readyState !== EventSource.CLOSED && this.breaks < MOST_BREAKS) return
      stream.close()
      this.take()
      this.show({ flow: 'polling' })
      this.poll()
    })
  }

  private take(): void {
    window.clearTimeout(this.frame)
    this.frame = undefined
    const lines = this.waiting
    this.waiting = []
    this.add(lines)
  }

  private poll(): void {
    void this.ask().finally(() => {
      if (this.listener && this.view.flow === 'polling') {
        this.timer = window.setTimeout(() => { this.poll() }, POLL_MS)
      }
    })
  }

  private async ask(): Promise<void> {
    const path = { id: this.subject.id }
    try {
      // The state is read before the lines, so that none of what is over are missed.
      const state = this.subject.kind === 'records' ? answered(await api.GET('/api/v1/records/{id}', { params: { path } })) : answered(await api.GET('/api/v1/operations/{id}', { params: { path } }))
      const asked = { params: { path, query: { limit: PAGE, cursor: String(this.last()) } }, headers: { accept: 'application/json' }, parseAs: 'json' } as const
      const page = answered(this.subject.kind === 'records' ? await api.GET('/api/v1/records/{id}/logs', asked) : await api.GET('/api/v1/operations/{id}/logs', asked)) as { items: LogLine[] }
      this.add(page.items)
      const over = state.status !== 'queued' && state.status !== 'running'
      if (over && page.items.length < PAGE) this.show({ flow: 'over' })
    } catch {
      // Asked again at the next turn; the page above the log tells of a master that is away.
    }
  }

  private last(): number {
    return (this.waiting.at(-1) ?? this.view.lines.at(-1))?.id ?? 0
  }

  private add(found: LogLine[]): void {
    const last = this.view.lines.at(-1)?.id ?? 0
    const fresh = found.filter((line) => line.id > last)
    if (fresh.length === 0) return
    const all = [...this.view.lines, ...fresh]
    const surplus = Math.max(0, all.length - MOST_LINES)
    this.show({ lines: surplus > 0 ? all.slice(surplus) : all, hidden: this.view.hidden + surplus })
  }

  private show(change: Partial<LogView>): void {
    this.view = { ...this.view, ...change }
    this.listener?.()
  }
}
