// Backups as a table; on a phone each row becomes a card.
import type { BackupRecord } from '../../api/client'
import { useNow } from '../../lib/clock'
import { ago, bytes, instant, secondsBetween, span } from '../../lib/format'
import { messages } from '../../lib/messages'
import { link } from '../../lib/router'
import { Failure } from '../../ui/Failure'
import { placeOf, useRecords } from './api'
import { StatusBadge } from './status'
import './records.css'

const words = messages.records

export function RecordList() {
  const records = useRecords()
  const items = records.data?.pages.flatMap((page) => page.items)
  return (
    <section className="stack" aria-labelledby="records-title">
      <h2 id="records-title">{words.title}</h2>
      {records.isPending && <p className="quiet">{messages.loading}</p>}
      {records.isError && <Failure error={records.error} retry={() => void records.refetch()} />}
      {items?.length === 0 && <p className="panel empty">{words.empty}</p>}
      {items && items.length > 0 && <Table items={items} />}
      {records.hasNextPage && (
        <button type="button" className="button" disabled={records.isFetchingNextPage} onClick={() => void records.fetchNextPage()}>
          {words.more}
        </button>
      )}
    </section>
  )
}

function Table({ items }: { items: BackupRecord[] }) {
  const columns = words.columns
  return (
    <div className="panel records">
      <table aria-labelledby="records-title">
        <thead>
          <tr>
            <th scope="col">{columns.status}</th>
            <th scope="col">{columns.task}</th>
            <th scope="col">{columns.node}</th>
            <th scope="col">{columns.begun}</th>
            <th scope="col" className="number">{columns.took}</th>
            <th scope="col" className="number">{columns.read}</th>
            <th scope="col" className="number">{columns.stored}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((record) => <Row key={record.id} record={record} />)}
        </tbody>
      </table>
    </div>
  )
}

function Row({ record }: { record: BackupRecord }) {
  const now = useNow()
  const columns = words.columns
  const begun = record.startedAt ?? record.createdAt
  const took = record.startedAt ? span(secondsBetween(record.startedAt, record.finishedAt, now)) : ''
  return (
    <tr>
      <td data-label={columns.status}><StatusBadge status={record.status} /></td>
      <th scope="row" data-label={columns.task}><a href={link({ at: 'record', id: record.id })}>{words.title1(record.taskName, record.id)}</a></th>
      <td data-label={columns.node}>{placeOf(record)}</td>
      <td data-label={columns.begun}><time dateTime={begun} title={instant(begun)}>{ago(begun, now)}</time></td>
      <td data-label={columns.took} className="number">{took}</td>
      <td data-label={columns.read} className="number">{bytes(record.rawBytes)}</td>
      <td data-label={columns.stored} className="number">{bytes(record.storedBytes)}</td>
    </tr>
  )
}
