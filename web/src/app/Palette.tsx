// The command palette: every page, task, node and target, and what can be done at once.
import { Dialog as Base } from '@base-ui/react/dialog'
import { useNavigate } from '@tanstack/react-router'
import { useId, useState, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useNodes } from '../api/nodes'
import { useMay } from '../api/people'
import { useTargets } from '../api/targets'
import { useTaskActions, useTasks } from '../api/tasks'
import { matches } from '../lib/search'
import { Icon, type IconName } from '../ui/Icon'
import { PAGES } from './pages'
import './palette.css'

interface Entry {
  key: string
  icon: IconName
  name: string
  kind: string
  act: () => void
}

const MOST = 30

export function Palette({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const [query, setQuery] = useState('')
  const [chosen, setChosen] = useState(0)
  const list = useId()
  const entries = useEntries(query).slice(0, MOST)
  const current = Math.min(chosen, Math.max(0, entries.length - 1))

  function act(entry: Entry | undefined) {
    if (!entry) return
    onClose()
    entry.act()
  }
  function onKey(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined && entries.length > 0) {
      event.preventDefault()
      setChosen((current + step + entries.length) % entries.length)
    } else if (event.key === 'Enter') {
      event.preventDefault()
      act(entries[current])
    }
  }
  return (
    <Base.Root open onOpenChange={(next) => { if (!next) onClose() }}>
      <Base.Portal>
        <Base.Backdrop className="dialog-veil" />
        <Base.Popup className="palette">
          <Base.Title className="unseen">{t('palette.title')}</Base.Title>
          <div className="palette-input">
            <Icon name="search" />
            <input
              role="combobox"
              aria-expanded
              aria-controls={list}
              aria-activedescendant={entries[current] ? `${list}-${current}` : undefined}
              aria-label={t('palette.title')}
              placeholder={t('palette.placeholder')}
              value={query}
              onChange={(event) => { setQuery(event.target.value); setChosen(0) }}
              onKeyDown={onKey}
            />
          </div>
          <div id={list} role="listbox" aria-label={t('palette.title')} className="palette-list">
            {entries.map((entry, index) => (
              // The input holds the focus and hears the keys.
              // eslint-disable-next-line jsx-a11y/click-events-have-key-events
              <div key={entry.key} id={`${list}-${index}`} role="option" aria-selected={index === current} tabIndex={-1} className="palette-entry" onClick={() => { act(entry) }} onMouseMove={() => { setChosen(index) }} ref={index === current ? (element) => { element?.scrollIntoView({ block: 'nearest' }) } : undefined}>
                <Icon name={entry.icon} />
                <span className="grow">{entry.name}</span>
                <span className="quiet small">{entry.kind}</span>
              </div>
            ))}
          </div>
          <p className="palette-foot quiet small" role="status">{entries.length === 0 ? t('palette.nothing') : t('palette.hint')}</p>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

function useEntries(query: string): Entry[] {
  const { t } = useTranslation()
  const go = useNavigate()
  const admin = useMay('admin')
  const operator = useMay('operator')
  const tasks = useTasks().data ?? []
  const nodes = useNodes().data ?? []
  const targets = useTargets().data ?? []
  const { run } = useTaskActions()
  const params = (id: number) => ({ params: { id: String(id) } })
  const entries: Entry[] = PAGES.map((page) => ({ key: page.to, icon: page.icon, name: t(`nav.${page.name}`), kind: t('palette.pages'), act: () => { void go({ to: page.to }) } }))
  if (admin) {
    entries.push(
      { key: '+task', icon: 'plus', name: t('tasks.add'), kind: t('palette.actions'), act: () => { void go({ to: '/tasks/new' }) } },
      { key: '+node', icon: 'plus', name: t('nodes.add'), kind: t('palette.actions'), act: () => { void go({ to: '/nodes/new' }) } },
      { key: '+target', icon: 'plus', name: t('storage.add'), kind: t('palette.actions'), act: () => { void go({ to: '/storage/new' }) } },
    )
  }
  const number = /^#?(\d+)$/.exec(query.trim())?.[1]
  if (number) return [{ key: `#${number}`, icon: 'runs', name: t('palette.record', { id: number }), kind: t('nav.runs'), act: () => { void go({ to: '/records/$id', params: { id: number } }) } }]
  entries.push(...tasks.map((task): Entry => ({ key: `t${task.id}`, icon: 'tasks', name: task.name, kind: t('nav.tasks'), act: () => { void go({ to: '/tasks/$id', ...params(task.id) }) } })))
  entries.push(...nodes.map((node): Entry => ({ key: `n${node.id}`, icon: 'nodes', name: node.name, kind: t('nav.nodes'), act: () => { void go({ to: '/nodes/$id', ...params(node.id) }) } })))
  entries.push(...targets.map((target): Entry => ({ key: `s${target.id}`, icon: 'storage', name: target.name, kind: t('nav.storage'), act: () => { void go({ to: '/storage/$id', ...params(target.id) }) } })))
  if (operator && query) {
    const start = (id: number) => { run.mutate(id, { onSuccess: (record) => { void go({ to: '/records/$id', ...params(record.id) }) } }) }
    entries.push(...tasks.map((task): Entry => ({ key: `r${task.id}`, icon: 'play', name: t('palette.run', { name: task.name }), kind: t('palette.actions'), act: () => { start(task.id) } })))
  }
  return entries.filter((entry) => matches(query, [entry.name]))
}
