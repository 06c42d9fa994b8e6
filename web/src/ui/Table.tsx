// A table that is a list of cards on a phone.
import type { ReactNode } from 'react'
import './table.css'

export interface Column<T> {
  name: string
  cell: (row: T) => ReactNode
  /** `lead` names the row, `aside` stands beside it on a phone; `act` holds what can be done, and its name is for screen readers alone. */
  kind?: 'lead' | 'aside' | 'number' | 'act'
}

interface Props<T> {
  name: string
  columns: readonly Column<T>[]
  rows: readonly T[]
  id: (row: T) => number | string
}

const CLASS = { lead: 'lead', aside: 'aside', number: 'number', act: 'act' } as const

export function Table<T>({ name, columns, rows, id }: Props<T>) {
  return (
    <div className="table-frame">
      <table className="table cards-on-phone">
        <caption className="unseen">{name}</caption>
        <thead>
          <tr>{columns.map((column) => <th key={column.name} scope="col" className={column.kind === 'number' ? 'number' : undefined}>{column.kind === 'act' ? <span className="unseen">{column.name}</span> : column.name}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)}>
              {columns.map((column) => <td key={column.name} data-name={column.name} className={column.kind && CLASS[column.kind]}>{column.cell(row)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
