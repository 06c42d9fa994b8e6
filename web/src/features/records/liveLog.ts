// A log as it is written: server-sent events, and questions every few seconds where those do not get through.
import { answered, address, api, type LogLine } from '../../api/client'

/** How the lines come in. */
export type Flow = 'live' | 'polling' | 'over'

export interface LogView {
  lines: readonly LogLine[]
  /** Lines that were let go, so that the page stays quick. */
  hidden: number
  flow: Flow
}

const MOST_LINES = 3_000
const POLL_MS = 2_000
/** So many broken streams in a row without a line mean that something in between does not let them through. */
const MOST_BREAKS = 3

/** The log of one record, for `useSyncExternalStore`: it is read while somebody looks. */
export class LiveLog {
  private view: LogView = { lines: [], hidden: 0, flow: 'live' }
  private listener: (() => void) | undefined
  private stream: EventSource | undefined
  private timer: number | undefined
  private breaks = 0

  constructor(private readonly id: number) {}

  readonly current = (): LogView => this.view

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listener = listener
    if (this.view.flow === 'live') this.listen()
    else if (this.view.flow === 'polling') this.poll()
    return () => {
      this.listener = undefined
      this.stream?.close()
      window.clearTimeout(this.timer)
    }
  }

  private listen(): void {
    // A stream that is opened anew resumes behind the last line that is here.
    const stream = new EventSource(address(`/api/v1/records/${this.id}/logs?cursor=${this.last()}`), { withCredentials: true })
    this.stream = stream
    stream.addEventListener('line', (event: MessageEvent<string>) => {
      this.breaks = 0
      this.add([JSON.parse(event.data) as LogLine])
    })
    stream.addEventListener('end', () => {
      stream.close()
      this.show({ flow: 'over' })
    })
    stream.addEventListener('error', () => {
      this.breaks += 1
      if (stream.readyState !== EventSource.CLOSED && this.breaks < MOST_BREAKS) return
      stream.close()
      this.show({ flow: 'polling' })
      this.poll()
    })
  }

  private poll(): void {
    void this.ask().finally(() => {
      if (this.listener && this.view.flow === 'polling') {
        this.timer = window.setTimeout(() => { this.poll() }, POLL_MS)
      }
    })
  }

  private async ask(): Promise<void> {
    const path = { id: this.id }
    try {
      // The state is read before the lines, so that none of a finished record are missed.
      const record = answered(await api.GET('/api/v1/records/{id}', { params: { path } }))
      const page = answered(
        await api.GET('/api/v1/records/{id}/logs', {
          params: { path, query: { limit: 500, cursor: String(this.last()) } },
          headers: { accept: 'application/json' },
          parseAs: 'json',
        }),
      ) as { items: LogLine[] }
      this.add(page.items)
      const over = record.status !== 'queued' && record.status !== 'running'
      if (over && page.items.length < 500) this.show({ flow: 'over' })
    } catch {
      // Asked again at the next turn; the record above the log tells of a master that is away.
    }
  }

  private last(): number {
    return this.view.lines.at(-1)?.id ?? 0
  }

  private add(found: LogLine[]): void {
    const last = this.last()
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
