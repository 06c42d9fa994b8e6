// One backup: how it stands, where its copies are, and its log as it is written.
import type { BackupRecord } from '../../api/client'
import { useNow } from '../../lib/clock'
import { bytes, count, instant, secondsBetween, sentence, span } from '../../lib/format'
import { messages } from '../../lib/messages'
import { link } from '../../lib/router'
import { Failure } from '../../ui/Failure'
import { isOver, placeOf, useRecord } from './api'
import { Log } from './Log'
import { CopyBadge, StatusBadge } from './status'
import './records.css'

const words = messages.records

export function RecordPage({ id }: { id: number }) {
  const record = useRecord(id)
  return (
    <div className="stack wide">
      <a className="back" href={link({ at: 'overview' })}>{words.back}</a>
      {record.isPending && <p className="quiet">{messages.loading}</p>}
      {record.isError && <Failure error={record.error} retry={() => void record.refetch()} />}
      {record.data && <Body record={record.data} />}
    </div>
  )
}

function Body({ record }: { record: BackupRecord }) {
  return (
    <>
      <header className="record-head">
        <h1>{words.title1(record.taskName, record.id)}</h1>
        <StatusBadge status={record.status} />
      </header>
      {record.error && (
        <section className="note" aria-label={words.error}>{sentence(record.error.message)}</section>
      )}
      {!isOver(record) && <Progress record={record} />}
      <div className="record-columns">
        <Facts record={record} />
        <Copies record={record} />
      </div>
      <Log id={record.id} />
    </>
  )
}

function Progress({ record }: { record: BackupRecord }) {
  const now = useNow()
  const { progress } = record
  const whole = progress.totalBytes ?? undefined
  const seconds = record.startedAt ? secondsBetween(record.startedAt, null, now) : 0
  const speed = seconds > 1 ? progress.bytes / seconds : 0
  const left = whole !== undefined && speed > 0 ? Math.max(0, (whole - progress.bytes) / speed) : undefined
  return (
    <section className="panel padded stack progress" aria-labelledby="progress-title">
      <h2 id="progress-title" className="unseen">{words.progress}</h2>
      <progress aria-label={words.progress} max={whole ?? 1} value={whole === undefined ? undefined : Math.min(progress.bytes, whole)} />
      <p className="progress-line">
        <strong>{words.phase[progress.phase]}</strong>
        <span>{words.figures(bytes(progress.bytes), count(progress.files))}</span>
        {speed > 0 && <span>{words.speed(bytes(speed))}</span>}
        {left !== undefined && <span>{words.left(span(left))}</span>}
      </p>
    </section>
  )
}

function Facts({ record }: { record: BackupRecord }) {
  const now = useNow()
  const fact = words.fact
  const begun = record.startedAt ?? record.createdAt
  const data = record.streams.find((stream) => stream.name === 'data')
  const troubles = (['changed', 'unreadable', 'vanished', 'skipped'] as const)
    .filter((kind) => record.counts[kind] > 0)
    .map((kind) => `${count(record.counts[kind])} ${words.problem[kind]}`)
  return (
    <section className="panel padded stack" aria-labelledby="facts-title">
      <h2 id="facts-title">{words.facts}</h2>
      <dl className="facts">
        <dt>{fact.node}</dt><dd>{placeOf(record)}</dd>
        <dt>{fact.trigger}</dt><dd>{words.begunBy[record.trigger]}</dd>
        <dt>{fact.begun}</dt><dd><time dateTime={begun}>{instant(begun)}</time></dd>
        {record.startedAt && <><dt>{fact.took}</dt><dd>{span(secondsBetween(record.startedAt, record.finishedAt, now))}</dd></>}
        <dt>{fact.read}</dt><dd>{bytes(record.rawBytes)}</dd>
        <dt>{fact.stored}</dt><dd>{bytes(record.storedBytes)}</dd>
        {isOver(record) && <><dt>{fact.files}</dt><dd>{count(record.counts.files)}</dd></>}
        {data && <><dt>{fact.encrypted}</dt><dd>{data.encrypted ? words.yes : words.no}</dd></>}
        {record.lock && <><dt>{fact.locked}</dt><dd>{record.lock.reason}</dd></>}
        {troubles.length > 0 && <><dt>{fact.problems}</dt><dd>{troubles.join(', ')}</dd></>}
        <dt>{fact.location}</dt><dd className="mono">{record.location}</dd>
      </dl>
    </section>
  )
}

function Copies({ record }: { record: BackupRecord }) {
  return (
    <section className="panel padded stack" aria-labelledby="copies-title">
      <h2 id="copies-title">{words.copies}</h2>
      <ul role="list" className="copies">
        {record.copies.map((copy) => (
          <li key={copy.targetId}>
            <div className="copy-head">
              <span className="copy-name">{copy.targetName}</span>
              <CopyBadge status={copy.status} />
            </div>
            <p className="quiet small">
              {bytes(copy.storedBytes)}
              {copy.verifiedAt && <> · {words.verified(instant(copy.verifiedAt))}</>}
            </p>
            {copy.error && <p className="small wrong">{copy.error}</p>}
          </li>
        ))}
      </ul>
    </section>
  )
}
