// What happened at this master.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useEventPages, type Event } from '../../api/events'
import { useNodeNames } from '../../api/nodes'
import { Badge, type Tone } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { Section } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { RECORD_TONES } from '../../ui/Status'
import { Table, type Column } from '../../ui/Table'
import { At } from '../../ui/Time'

function toneOf(event: Event): Tone {
  switch (event.type) {
    case 'recordFinished':
      return RECORD_TONES[event.status]
    case 'operationFinished':
      return event.status === 'success' ? 'good' : event.status === 'failed' ? 'bad' : 'idle'
    case 'nodeOnline':
      return 'good'
    case 'recordSuspicious':
      return 'warn'
    case 'drillFailed':
    case 'nodeOffline':
      return 'bad'
  }
}

export function Events() {
  const { t } = useTranslation()
  const node = useNodeNames()
  const events = useEventPages()
  const rows = events.data?.pages.flatMap((page) => page.items).reverse() ?? []
  const columns: Column<Event>[] = [
    { name: t('settings.events.what'), kind: 'lead', cell: (event) => <Badge tone={toneOf(event)}>{event.type === 'recordFinished' ? t('settings.events.ran', { status: t(`status.record.${event.status}`) }) : event.type === 'operationFinished' ? t('settings.events.done', { status: t(`status.operation.${event.status}`) }) : t(`settings.events.type.${event.type}`)}</Badge> },
    { name: t('settings.events.about'), cell: (event) => {
      if ('nodeId' in event) return <Link to="/nodes/$id" params={{ id: String(event.nodeId) }}>{node(event.nodeId) ?? `#${event.nodeId}`}</Link>
      return 'operationId' in event
        ? <Link to="/operations/$id" params={{ id: String(event.operationId) }}>{t('settings.events.operation', { id: event.operationId })}</Link>
        : <Link to="/records/$id" params={{ id: String(event.recordId) }}>{t('palette.record', { id: event.recordId })}</Link>
    } },
    { name: t('operations.columns.at'), cell: (event) => <At at={event.at} /> },
  ]
  return (
    <Section title={t('settings.tabs.events')} bare>
      {events.isPending && <Skeleton />}
      {events.error && <div className="section-body"><Failure error={events.error} retry={() => events.refetch()} /></div>}
      {events.data && rows.length === 0 && <Empty icon="clock" title={t('settings.events.empty')} />}
      {rows.length > 0 && <Table name={t('settings.tabs.events')} columns={columns} rows={rows} id={(event) => event.id} />}
      {events.hasNextPage && <div className="table-more"><Button look="plain" busy={events.isFetchingNextPage} onClick={() => { void events.fetchNextPage() }}>{t('settings.events.newer')}</Button></div>}
    </Section>
  )
}
