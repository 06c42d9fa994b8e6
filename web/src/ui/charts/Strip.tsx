// The last runs of a task as marks, oldest first; what went wrong stands out by height as well as by colour.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { BackupRecord } from '../../api/client'
import { instant } from '../../lib/format'
import { RECORD_TONES } from '../Status'
import './charts.css'

const LONG = 30

export function Strip({ records, task }: { records: readonly BackupRecord[] | undefined; task: string }) {
  const { t } = useTranslation()
  const shown = (records ?? []).slice(0, LONG).reverse()
  const bad = shown.filter((record) => ['failed', 'missed', 'degraded'].includes(record.status)).length
  const label = records ? t('overview.strip', { task, runs: shown.length, bad }) : t('loading')
  return (
    <div className="strip" role="group" aria-label={label}>
      {Array.from({ length: LONG - shown.length }, (_, place) => <span key={`none${place}`} className="mark-none" />)}
      {shown.map((record) => {
        const name = `${t(`status.record.${record.status}`)}, ${instant(record.createdAt)}`
        return <Link key={record.id} to="/records/$id" params={{ id: String(record.id) }} className={`mark-${RECORD_TONES[record.status]}`} title={name} aria-label={name} tabIndex={-1} />
      })}
    </div>
  )
}
