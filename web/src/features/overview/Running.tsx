// What runs now, with how far it is.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { BackupRecord } from '../../api/client'
import { isOver } from '../../api/records'
import { bytes } from '../../lib/format'
import { Section } from '../../ui/Page'
import { Progress } from '../../ui/Progress'
import { StatusBadge } from '../../ui/Status'

const SHOWN = 6

export function Running({ records }: { records: readonly BackupRecord[] | undefined }) {
  const { t } = useTranslation()
  const busy = records?.filter((record) => !isOver(record)) ?? []
  if (busy.length === 0) return null
  return (
    <Section title={t('overview.running')}>
      <ul className="stack">
        {busy.slice(0, SHOWN).map((record) => {
          const { bytes: done, totalBytes } = record.progress
          const text = totalBytes ? t('overview.progress', { done: bytes(done), all: bytes(totalBytes) }) : bytes(done)
          return (
            <li key={record.id} className="stack tight">
              <div className="row between">
                <Link to="/records/$id" params={{ id: String(record.id) }} className="trouble-link">{record.taskName}</Link>
                <span className="row"><span className="quiet small">{record.status === 'running' && text}</span><StatusBadge status={record.status} /></span>
              </div>
              {record.status === 'running' && <Progress part={totalBytes ? done / totalBytes : undefined} name={record.taskName} text={text} />}
            </li>
          )
        })}
      </ul>
    </Section>
  )
}
