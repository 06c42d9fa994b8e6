// A log to read while it is written: searched, by level, and only the lines in view are drawn.
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import type { LogLine } from '../../api/client'
import { count, exact, timeOfDay } from '../../lib/format'
import { matches } from '../../lib/search'
import { Badge, type Tone } from '../Badge'
import { Filter, SearchField } from '../Field'
import { Section } from '../Page'
import { LiveLog, type Flow, type Subject } from './liveLog'
import './log.css'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
type Level = (typeof LEVELS)[number]
const FLOWS: Record<Flow, Tone> = { live: 'busy', polling: 'warn', over: 'idle' }
const LINE_PX = 26

export function Log({ kind, id }: Subject) {
  const { t } = useTranslation()
  const log = useMemo(() => new LiveLog({ kind, id }), [kind, id])
  const { lines, hidden, flow } = useSyncExternalStore(log.subscribe, log.current)
  const [query, setQuery] = useState('')
  const [level, setLevel] = useState<Level>('debug')
  const shown = useMemo(() => lines.filter((line) => LEVELS.indexOf(line.level) >= LEVELS.indexOf(level) && matches(query, [line.message])), [lines, level, query])
  return (
    <Section title={t('log.title')} beside={<Badge tone={FLOWS[flow]}>{t(`log.flow.${flow}`)}</Badge>} bare>
      <div className="log-bar row">
        <SearchField value={query} onValue={setQuery} name={t('log.search')} />
        <Filter name={t('log.level')} value={level} options={LEVELS.map((value) => ({ value, label: t(`log.from.${value}`) }))} onValue={setLevel} />
        <span className="quiet small">{t('log.lines', { count: shown.length, shown: count(shown.length) })}</span>
      </div>
      {hidden > 0 && <p className="quiet small log-bar">{t('log.cut', { count: count(hidden) })}</p>}
      <Lines lines={shown} query={query} empty={lines.length === 0} />
    </Section>
  )
}

function Lines({ lines, query, empty }: { lines: readonly LogLine[]; query: string; empty: boolean }) {
  const { t } = useTranslation()
  const frame = useRef<HTMLDivElement>(null)
  const follows = useRef(true)
  // The list measures elements and must be made anew with each line.
  // eslint-disable-next-line react-hooks/incompatible-library
  const list = useVirtualizer({ count: lines.length, getScrollElement: () => frame.current, estimateSize: () => LINE_PX, overscan: 20, getItemKey: (place) => lines[place]?.id ?? place })
  const last = lines.at(-1)?.id
  // Whoever is at the end stays there while lines come.
  useEffect(() => {
    if (follows.current && lines.length > 0) list.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [last, lines.length, list])
  function onScroll() {
    const element = frame.current
    if (element) follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < LINE_PX * 2
  }
  return (
    <div ref={frame} className="log" role="log" aria-label={t('log.title')} tabIndex={0} onScroll={onScroll}>
      {lines.length === 0 && <p className="quiet log-empty">{empty ? t('log.empty') : t('log.nothing')}</p>}
      <div className="log-lines" style={{ height: list.getTotalSize() }}>
        {list.getVirtualItems().map((item) => {
          const line = lines[item.index]
          return line && (
            <p key={item.key} ref={list.measureElement} data-index={item.index} className={`log-line log-${line.level}`} style={{ transform: `translateY(${item.start}px)` }}>
              <time dateTime={line.at} title={exact(line.at)}>{timeOfDay(line.at)}</time>
              <span className="log-level">{t(`log.word.${line.level}`)}</span>
              <span className="log-text"><Marked text={line.message} query={query} /></span>
            </p>
          )
        })}
      </div>
    </div>
  )
}

function Marked({ text, query }: { text: string; query: string }) {
  const word = query.trim()
  const at = word === '' ? -1 : text.toLocaleLowerCase().indexOf(word.toLocaleLowerCase())
  if (at < 0) return text
  return <>{text.slice(0, at)}<mark>{text.slice(at, at + word.length)}</mark>{text.slice(at + word.length)}</>
}
