// Which moment to go back to: a slider over the backups that there are.
import { useTranslation } from 'react-i18next'
import { Link } from '@tanstack/react-router'
import type { BackupRecord } from '../../api/client'
import { bytes, count, day, instant } from '../../lib/format'
import { Button, IconButton } from '../../ui/Button'
import { StatusBadge } from '../../ui/Status'
import { Ago } from '../../ui/Time'

interface Props {
  /** Newest first. */
  records: readonly BackupRecord[]
  chosen: BackupRecord
  onChosen: (id: number) => void
  older: (() => void) | undefined
}

export function Moment({ records, chosen, onChosen, older }: Props) {
  const { t } = useTranslation()
  const at = (record: BackupRecord) => record.startedAt ?? record.createdAt
  // The slider goes as time does: from the oldest on the left.
  const ordered = [...records].sort((a, b) => a.id - b.id)
  const place = ordered.findIndex((record) => record.id === chosen.id)
  const choose = (index: number) => { const record = ordered[index]; if (record) onChosen(record.id) }
  const first = ordered[0] ?? chosen
  const last = ordered.at(-1) ?? chosen
  return (
    <div className="stack">
      <div className="row between">
        <div>
          <p className="moment-time">{instant(at(chosen))}</p>
          <p className="quiet small"><Ago at={at(chosen)} />, {t('restores.holds', { size: bytes(chosen.rawBytes), files: count(chosen.counts.files) })}</p>
        </div>
        <span className="row"><StatusBadge status={chosen.status} /><Link to="/records/$id" params={{ id: String(chosen.id) }} className="small">#{chosen.id}</Link></span>
      </div>
      {ordered.length > 1 && (
        <div className="moment">
          <IconButton icon="left" name={t('restores.earlier')} disabled={place === 0} onClick={() => { choose(place - 1) }} />
          <div className="grow">
            <input className="slider" type="range" min={0} max={ordered.length - 1} step={1} value={place} aria-label={t('restores.moment')} aria-valuetext={instant(at(chosen))} onChange={(event) => { choose(Number(event.target.value)) }} />
            <div className="row between quiet small"><span>{day(at(first))}</span><span>{day(at(last))}</span></div>
          </div>
          <IconButton icon="right" name={t('restores.later')} disabled={place === ordered.length - 1} onClick={() => { choose(place + 1) }} />
        </div>
      )}
      {older && <div><Button look="plain" onClick={older}>{t('records.older')}</Button></div>}
    </div>
  )
}
