// What of the tasks is shown; the choice stands in the address, and those that are used often can be kept.
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNodes } from '../../api/nodes'
import { useTargets } from '../../api/targets'
import { Button, IconButton } from '../../ui/Button'
import { Filter, SearchField } from '../../ui/Field'
import { keepView, keptViews, type View } from './views'

const KINDS = ['file', 'mysql', 'postgresql', 'sqlite', 'mongodb', 'saphana'] as const

export function TaskFilters({ search, onSearch }: { search: View; onSearch: (change: View) => void }) {
  const { t } = useTranslation()
  const nodes = useNodes().data ?? []
  const targets = useTargets().data ?? []
  const [views, setViews] = useState(keptViews)
  const filtered = Object.values(search).some((value) => value !== undefined)
  const number = (text: string) => (text === '' ? undefined : Number(text))
  const name = [search.q, search.state && t(`tasks.state.${search.state}`), search.kind && t(`source.${search.kind}`), nodes.find((node) => node.id === search.node)?.name, targets.find((target) => target.id === search.target)?.name].filter(Boolean).join(' · ')
  return (
    <div className="stack tight">
      <div className="row">
        <SearchField value={search.q ?? ''} onValue={(q) => { onSearch({ q: q === '' ? undefined : q }) }} name={t('tasks.search')} />
        <Filter name={t('tasks.filter.state')} value={search.state ?? ''} options={[{ value: '', label: t('tasks.filter.state') }, { value: 'on', label: t('tasks.state.on') }, { value: 'off', label: t('tasks.state.off') }]} onValue={(state) => { onSearch({ state: state === '' ? undefined : state }) }} />
        <Filter name={t('tasks.filter.kind')} value={search.kind ?? ''} options={[{ value: '', label: t('tasks.filter.kind') }, ...KINDS.map((value) => ({ value, label: t(`source.${value}`) }))]} onValue={(kind) => { onSearch({ kind: kind === '' ? undefined : kind }) }} />
        <Filter name={t('records.filter.node')} value={String(search.node ?? '')} options={[{ value: '', label: t('records.filter.node') }, ...nodes.map((node) => ({ value: String(node.id), label: node.name }))]} onValue={(node) => { onSearch({ node: number(node) }) }} />
        <Filter name={t('tasks.filter.target')} value={String(search.target ?? '')} options={[{ value: '', label: t('tasks.filter.target') }, ...targets.map((target) => ({ value: String(target.id), label: target.name }))]} onValue={(target) => { onSearch({ target: number(target) }) }} />
        {filtered && <Button look="plain" onClick={() => { setViews(keepView(name, search)) }}>{t('tasks.keepView')}</Button>}
      </div>
      {views.length > 0 && (
        <ul className="row" aria-label={t('tasks.views')}>
          {views.map((view) => (
            <li key={view.name} className="view-chip">
              <Link to="/tasks" search={view.search} className="small">{view.name}</Link>
              <IconButton icon="close" name={t('tasks.dropView', { name: view.name })} onClick={() => { setViews(keepView(view.name, undefined)) }} />
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
