// The fleet: which nodes are there, which are late, which run another version.
import { Link, getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Node } from '../../api/client'
import { useNodes } from '../../api/nodes'
import { useMay } from '../../api/people'
import { useRecent } from '../../api/records'
import { matches } from '../../lib/search'
import { Badge } from '../../ui/Badge'
import { ButtonLink } from '../../ui/Button'
import { Empty } from '../../ui/Empty'
import { Filter, SearchField } from '../../ui/Field'
import { ListPanel } from '../../ui/ListPanel'
import { PageHead } from '../../ui/Page'
import { NodeBadge } from '../../ui/Status'
import { Table, type Column } from '../../ui/Table'
import { Ago } from '../../ui/Time'
import { masterVersion, work } from './fleet'

const route = getRouteApi('/nodes')
const STATES = ['online', 'busy', 'offline', 'new', 'drift'] as const
const STEP = 50

export function NodeList() {
  const { t } = useTranslation()
  const admin = useMay('admin')
  const search = route.useSearch()
  const go = route.useNavigate()
  const nodes = useNodes()
  const running = work(useRecent({ status: 'running' }, 500).data)
  const waiting = work(useRecent({ status: 'queued' }, 500).data)
  const [shown, setShown] = useState(STEP)
  const all = nodes.data ?? []
  const master = masterVersion(all)
  const drifted = (node: Node) => node.facts !== null && node.facts !== undefined && master !== undefined && node.facts.version !== master
  const found = all.filter((node) =>
    matches(search.q, [node.name, node.facts?.hostname, ...node.labels])
    && (!search.label || node.labels.includes(search.label))
    && (!search.state || (search.state === 'busy' ? running.has(node.id) : search.state === 'drift' ? drifted(node) : node.status === search.state)))
  const labels = [...new Set(all.flatMap((node) => node.labels))].sort()
  const rows = found.slice(0, shown)
  const columns: Column<Node>[] = [
    { name: t('nodes.columns.name'), kind: 'lead', cell: (node) => <><Link to="/nodes/$id" params={{ id: String(node.id) }} className="name">{node.name}</Link>{node.local && <div className="quiet small">{t('nodes.local')}</div>}</> },
    { name: t('nodes.columns.status'), kind: 'aside', cell: (node) => <NodeBadge status={node.status} busy={running.has(node.id)} /> },
    { name: t('nodes.columns.seen'), cell: (node) => (node.local ? '' : node.lastSeenAt ? <Ago at={node.lastSeenAt} /> : <span className="quiet">{t('never')}</span>) },
    { name: t('nodes.columns.host'), cell: (node) => node.facts && <span className="small">{node.facts.hostname} <span className="quiet">{node.facts.os}/{node.facts.arch}</span></span> },
    { name: t('nodes.columns.version'), cell: (node) => node.facts && <span className="row"><span className="small">{node.facts.version}</span>{drifted(node) && <Badge tone="warn">{t('nodes.drift')}</Badge>}</span> },
    { name: t('nodes.columns.work'), cell: (node) => { const busy = running.get(node.id) ?? 0; const queued = waiting.get(node.id) ?? 0; return busy + queued > 0 ? <span className="small">{t('nodes.work', { running: busy, waiting: queued })}</span> : '' } },
    { name: t('nodes.columns.labels'), cell: (node) => node.labels.length > 0 && <span className="row">{node.labels.map((label) => <Link key={label} to="/nodes" search={{ label }} className="tag">{label}</Link>)}</span> },
  ]
  return (
    <div className="stack wide">
      <PageHead title={t('nav.nodes')} lead={t('nodes.lead')} actions={admin && <ButtonLink to="/nodes/new" look="main" icon="plus">{t('nodes.add')}</ButtonLink>} />
      <div className="row">
        <SearchField value={search.q ?? ''} name={t('nodes.search')} onValue={(q) => { void go({ search: (before) => ({ ...before, q: q === '' ? undefined : q }), replace: true }) }} />
        <Filter name={t('nodes.filter.state')} value={search.state ?? ''} options={[{ value: '', label: t('nodes.filter.state') }, ...STATES.map((value) => ({ value, label: value === 'drift' ? t('nodes.drift') : t(`status.node.${value}`) }))]} onValue={(state) => { void go({ search: (before) => ({ ...before, state: state === '' ? undefined : state }), replace: true }) }} />
        {labels.length > 0 && <Filter name={t('nodes.filter.label')} value={search.label ?? ''} options={['', ...labels].map((value) => ({ value, label: value === '' ? t('nodes.filter.label') : value }))} onValue={(label) => { void go({ search: (before) => ({ ...before, label: label === '' ? undefined : label }), replace: true }) }} />}
      </div>
      <ListPanel
        query={nodes}
        all={nodes.data?.length}
        found={found.length}
        shown={rows.length}
        empty={<Empty icon="nodes" title={t('nodes.empty.title')} action={admin && <ButtonLink to="/nodes/new" look="main">{t('nodes.add')}</ButtonLink>}>{t('nodes.empty.lead')}</Empty>}
        clear={<ButtonLink to="/nodes" search={{}}>{t('clearFilters')}</ButtonLink>}
        more={found.length > rows.length ? { act: () => { setShown(shown + STEP * 2) } } : undefined}
      >
        <Table name={t('nav.nodes')} columns={columns} rows={rows} id={(node) => node.id} />
      </ListPanel>
    </div>
  )
}
