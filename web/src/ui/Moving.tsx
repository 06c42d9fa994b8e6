// How far something is that moves data: its phases, what was moved, how quick, how long still.
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { useNow } from '../lib/clock'
import { bytes, count, secondsBetween, span } from '../lib/format'
import { Icon } from './Icon'
import { Progress } from './Progress'
import './moving.css'

const PHASES = ['waiting', 'preparing', 'transferring', 'confirming', 'done'] as const

interface Props {
  progress: Schemas['Progress']
  startedAt: string | null | undefined
  queued: boolean
  stopping: boolean
  name: string
}

export function Moving({ progress, startedAt, queued, stopping, name }: Props) {
  const { t } = useTranslation()
  const now = useNow()
  const { bytes: done, totalBytes, files, storedBytes } = progress
  const seconds = startedAt ? secondsBetween(startedAt, null, now) : 0
  const speed = seconds > 1 ? done / seconds : 0
  const left = totalBytes && speed > 0 ? (totalBytes - done) / speed : undefined
  const phase = queued ? 'waiting' : progress.phase
  const text = totalBytes ? t('progress.of', { done: bytes(done), all: bytes(totalBytes) }) : bytes(done)
  const whole = totalBytes ? Math.min(1, done / totalBytes) : undefined
  return (
    <div className="stack">
      <ol className="phases">
        {PHASES.map((one) => {
          const place = PHASES.indexOf(one) - PHASES.indexOf(phase)
          return (
            <li key={one} className={place < 0 ? 'past' : place === 0 ? 'here' : ''} aria-current={place === 0 ? 'step' : undefined}>
              {place < 0 && <Icon name="check" />}{t(`progress.phase.${one}`)}
            </li>
          )
        })}
      </ol>
      {!queued && <Progress part={whole} name={name} text={text} />}
      <p className="row quiet small" role="status">
        {stopping && <span className="tone-text-warn strong">{t('progress.stopping')}</span>}
        {queued ? <span>{t('progress.queued')}</span> : (
          <>
            <span>{text}</span>
            {files > 0 && <span>{t('progress.files', { count: files, files: count(files) })}</span>}
            {storedBytes > 0 && <span>{t('progress.stored', { size: bytes(storedBytes) })}</span>}
            {speed > 0 && <span>{t('progress.speed', { size: bytes(speed) })}</span>}
            {left !== undefined && left > 1 && <span>{t('progress.left', { time: span(left) })}</span>}
            <span>{t('progress.since', { time: span(seconds) })}</span>
          </>
        )}
      </p>
    </div>
  )
}
