// One run: how it goes or went, its copies, its log, its files, and what was done with it since.
import { Link, getRouteApi } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { BackupRecord } from '../../api/client'
import { useMay } from '../../api/people'
import { hasCopy, isOver, useRecord } from '../../api/records'
import { sentence } from '../../lib/format'
import { ButtonLink } from '../../ui/Button'
import { Failure } from '../../ui/Failure'
import { Log } from '../../ui/log/Log'
import { Note } from '../../ui/Note'
import { Crumb, PageHead } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { StatusBadge } from '../../ui/Status'
import { Tabs } from '../../ui/Tabs'
import { AlarmNote } from './AlarmNote'
import { Checks } from './Checks'
import { Copies } from './Copies'
import { Files } from './Files'
import { RecordActions } from './RecordActions'
import { RecordFacts } from './RecordFacts'
import { RunProgress } from './RunProgress'
import './records.css'

const route = getRouteApi('/records/$id')

export function RecordPage() {
  const id = Number(route.useParams().id)
  const record = useRecord(id)
  if (record.isPending) return <div className="panel"><Skeleton lines={10} /></div>
  if (!record.data) return <Failure error={record.error} retry={() => record.refetch()} />
  return <Loaded key={id} record={record.data} />
}

function Loaded({ record }: { record: BackupRecord }) {
  const { t } = useTranslation()
  const { tab } = route.useSearch()
  const operator = useMay('operator')
  const over = isOver(record)
  const params = { id: String(record.id) }
  return (
    <div className="stack wide">
      <PageHead
        title={`${record.taskName} #${record.id}`}
        crumb={<Crumb to="/records">{t('nav.runs')}</Crumb>}
        beside={<StatusBadge status={record.status} />}
        lead={<Link to="/tasks/$id" params={{ id: String(record.taskId) }}>{t('records.toTask')}</Link>}
        actions={(
          <>
            {operator && hasCopy(record) && <ButtonLink to="/restore" search={{ record: record.id }} look="main" icon="restore">{t('records.restore')}</ButtonLink>}
            <RecordActions record={record} />
          </>
        )}
      />
      {record.error && (
        <Note tone={record.status === 'degraded' ? 'warn' : 'bad'}>
          <p className="strong">{t('records.error')}</p>
          <p>{sentence(record.error.message)}</p>
        </Note>
      )}
      {record.alarm && <AlarmNote record={record} alarm={record.alarm} />}
      {!over && <RunProgress record={record} />}
      <Tabs
        tabs={[
          { key: 'log', name: t('records.tabs.run'), here: tab === undefined, to: '/records/$id', params, search: {} },
          { key: 'files', name: t('records.tabs.files'), here: tab === 'files', to: '/records/$id', params, search: { tab: 'files' } },
          { key: 'checks', name: t('records.tabs.checks'), here: tab === 'checks', to: '/records/$id', params, search: { tab: 'checks' } },
        ]}
      />
      {tab === undefined && (
        <>
          <div className="columns">
            <RecordFacts record={record} />
            <Copies record={record} />
          </div>
          <Log kind="records" id={record.id} />
        </>
      )}
      {tab === 'files' && <Files record={record} />}
      {tab === 'checks' && <Checks record={record} />}
    </div>
  )
}
