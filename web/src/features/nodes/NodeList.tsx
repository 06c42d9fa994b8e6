// Nodes as cards: who is there, and since when not.
import type { Node } from '../../api/client'
import { useNow } from '../../lib/clock'
import { ago, instant } from '../../lib/format'
import { messages } from '../../lib/messages'
import { Badge, type Tone } from '../../ui/Badge'
import { Failure } from '../../ui/Failure'
import { useNodes } from './api'
import './nodes.css'

const words = messages.nodes
const TONES: Record<Node['status'], Tone> = { online: 'good', offline: 'bad', new: 'idle' }

export function NodeList() {
  const nodes = useNodes()
  return (
    <section className="stack" aria-labelledby="nodes-title">
      <h2 id="nodes-title">{words.title}</h2>
      {nodes.isPending && <p className="quiet">{messages.loading}</p>}
      {nodes.isError && <Failure error={nodes.error} retry={() => void nodes.refetch()} />}
      {nodes.data?.length === 0 && <p className="panel empty">{words.empty}</p>}
      <ul role="list" className="nodes">
        {nodes.data?.map((node) => <NodeCard key={node.id} node={node} />)}
      </ul>
    </section>
  )
}

function NodeCard({ node }: { node: Node }) {
  const now = useNow()
  return (
    <li className="panel padded node">
      <div className="node-head">
        <h3>{node.name}</h3>
        <Badge tone={TONES[node.status]}>{words.status[node.status]}</Badge>
      </div>
      {(node.local || node.facts) && <p className="quiet small">{node.local ? words.local : describe(node)}</p>}
      {node.lastSeenAt && (
        <p className="quiet small">
          {words.seen} <time dateTime={node.lastSeenAt} title={instant(node.lastSeenAt)}>{ago(node.lastSeenAt, now)}</time>
          {node.facts && <> · {words.version} {node.facts.version}</>}
        </p>
      )}
      {node.labels.length > 0 && (
        <ul role="list" className="labels" aria-label={words.labels}>
          {node.labels.map((label) => <li key={label}>{label}</li>)}
        </ul>
      )}
    </li>
  )
}

function describe(node: Node): string {
  return node.facts ? `${node.facts.hostname} · ${node.facts.os} ${node.facts.arch}` : ''
}
