// What was done with runs afterwards, newest first.
import { getRouteApi } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useOperationPages } from '../../api/operations'
import { ButtonLink } from '../../ui/Button'
import { Empty } from '../../ui/Empty'
import { Filter } from '../../ui/Field'
import { ListPanel } from '../../ui/ListPanel'
import { PageHead } from '../../ui/Page'
import { RunTabs } from '../../ui/RunTabs'
import { OperationTable } from './OperationTable'

const route = getRouteApi('/operations')
const KINDS = ['restore', 'verify', 'copy', 'delete'] as const
const STATES = ['queued', 'running', 'success', 'failed', 'cancelled'] as const

export function OperationList() {
  const { t } = useTranslation()
  const { kind, status } = route.useSearch()
  const go = route.useNavigate()
  const operations = useOperationPages({ ...(kind && { kind }), ...(status && { status }) })
  const rows = operations.data?.pages.flatMap((page) => page.items)
  return (
    <div className="stack wide">
      <PageHead title={t('operations.title')} lead={t('operations.lead')} />
      <RunTabs here="operations" />
      <div className="row">
        <Filter name={t('operations.filter.kind')} value={kind ?? ''} options={[{ value: '', label: t('operations.filter.kind') }, ...KINDS.map((value) => ({ value, label: t(`operations.kind.${value}`) }))]} onValue={(next) => { void go({ search: (before) => ({ ...before, kind: next === '' ? undefined : next }), replace: true }) }} />
        <Filter name={t('operations.filter.status')} value={status ?? ''} options={[{ value: '', label: t('operations.filter.status') }, ...STATES.map((value) => ({ value, label: t(`status.operation.${value}`) }))]} onValue={(next) => { void go({ search: (before) => ({ ...before, status: next === '' ? undefined : next }), replace: true }) }} />
      </div>
      <ListPanel
        query={operations}
        all={rows && (kind ?? status ? Math.max(1, rows.length) : rows.length)}
        found={rows?.length ?? 0}
        shown={rows?.length ?? 0}
        empty={<Empty icon="restore" title={t('operations.empty.title')}>{t('operations.empty.lead')}</Empty>}
        clear={<ButtonLink to="/operations">{t('clearFilters')}</ButtonLink>}
        more={operations.hasNextPage ? { act: () => { void operations.fetchNextPage() }, busy: operations.isFetchingNextPage, name: t('operations.older') } : undefined}
      >
        {rows && <OperationTable name={t('operations.title')} operations={rows} />}
      </ListPanel>
    </div>
  )
}
