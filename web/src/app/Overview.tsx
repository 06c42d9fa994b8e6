// The overview: four figures that say whether all is well, then nodes and backups.
import { NodeList } from '../features/nodes/NodeList'
import { useNodes } from '../features/nodes/api'
import { RecordList } from '../features/records/RecordList'
import { useRecords } from '../features/records/api'
import { useNow } from '../lib/clock'
import { ago, count } from '../lib/format'
import { messages } from '../lib/messages'

const words = messages.overview

export function Overview() {
  return (
    <div className="stack wide">
      <h1>{words.title}</h1>
      <Figures />
      <NodeList />
      <RecordList />
    </div>
  )
}

function Figures() {
  const now = useNow()
  const nodes = useNodes().data
  const records = useRecords().data?.pages.flatMap((page) => page.items)
  const online = nodes?.filter((node) => node.status === 'online').length ?? 0
  const offline = nodes?.some((node) => node.status === 'offline') ?? false
  const running = records?.filter((record) => record.status === 'running').length ?? 0
  const last = records?.find((record) => record.status === 'success')
  const bad = records?.filter((record) => ['degraded', 'failed', 'missed'].includes(record.status)).length ?? 0
  return (
    <dl className="figures">
      <Figure name={words.online} value={nodes ? words.of(online, nodes.length) : ''} alarm={offline} />
      <Figure name={words.running} value={records ? count(running) : ''} />
      <Figure name={words.last} value={records ? (last ? ago(last.finishedAt ?? last.createdAt, now) : words.never) : ''} />
      <Figure name={`${words.failed} ${count(records?.length ?? 0)}`} value={records ? count(bad) : ''} alarm={bad > 0} />
    </dl>
  )
}

function Figure({ name, value, alarm = false }: { name: string; value: string; alarm?: boolean }) {
  return (
    <div className={alarm ? 'panel figure alarm' : 'panel figure'}>
      <dt>{name}</dt>
      <dd>{value || '…'}</dd>
    </div>
  )
}
