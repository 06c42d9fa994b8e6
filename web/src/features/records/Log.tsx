// The log of a record, live. The view stays at the newest line while the reader is there.
import { useState, useSyncExternalStore } from 'react'
import type { LogLine } from '../../api/client'
import { count, timeOfDay } from '../../lib/format'
import { messages } from '../../lib/messages'
import { Badge, type Tone } from '../../ui/Badge'
import { LiveLog, type Flow } from './liveLog'
import './log.css'

const words = messages.records
const FLOWS: Record<Flow, { tone: Tone; text: string }> = {
  live: { tone: 'busy', text: words.logLive },
  polling: { tone: 'idle', text: words.logPolling },
  over: { tone: 'idle', text: words.logOver },
}

export function Log({ id }: { id: number }) {
  return <Lines key={id} id={id} />
}

function Lines({ id }: { id: number }) {
  const [log] = useState(() => new LiveLog(id))
  const view = useSyncExternalStore(log.subscribe, log.current)
  const flow = FLOWS[view.flow]
  return (
    <section className="panel log" aria-labelledby="log-title">
      <header className="log-head">
        <h2 id="log-title">{words.log}</h2>
        <Badge tone={flow.tone}>{flow.text}</Badge>
      </header>
      <div className="log-window" role="log" aria-labelledby="log-title" tabIndex={0}>
        <div>
          {view.hidden > 0 && <p className="quiet small log-note">{words.logCut(count(view.hidden))}</p>}
          {view.lines.length === 0 && <p className="quiet log-note">{words.logEmpty}</p>}
          <ol role="list">
            {view.lines.map((line) => <Line key={line.id} line={line} />)}
          </ol>
        </div>
      </div>
    </section>
  )
}

function Line({ line }: { line: LogLine }) {
  return (
    <li className={`line level-${line.level}`}>
      <time dateTime={line.at}>{timeOfDay(line.at)}</time>
      <span className="level">{words.level[line.level]}</span>
      <span className="message">{line.message}</span>
    </li>
  )
}
