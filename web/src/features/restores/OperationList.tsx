// What was done with runs afterwards, newest first.
import { getRouteApi } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useOperationPages } from '../../api/operations'
import { Button, ButtonLink } from '../../ui/Button'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { Filter } from '../../ui/Field'
import { PageHead } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
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
      <div className="panel">
        {operations.isError && !rows && <div className="section-body"><Failure error={operations.error} retry={() => operations.refetch()} /></div>}
        {operations.isPending && <Skeleton lines={6} />}
        {rows?.length === 0 && (kind ?? status
          ? <Empty icon="search" title={t('noMatch')} action={<ButtonLink to="/operations">{t('clearFilters')}</ButtonLink>}>{t('noMatchLead')}</Empty>
          : <Empty icon="restore" title={t('operations.empty.title')}>{t('operations.empty.lead')}</Empty>)}
        {rows && rows.length > 0 && <OperationTable name={t('operations.title')} operations={rows} />}
        {operations.hasNextPage && <div className="table-more"><Button look="plain" busy={operations.isFetchingNextPage} onClick={() => { void operations.fetchNextPage() }}>{t('operations.older')}</Button></div>}
      </div>
    </div>
  )
}
