// The runs of a task over time: how long, how much, what changed.
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { BackupRecord, Task } from '../../api/client'
import { useRecords } from '../../api/records'
import { useNow } from '../../lib/clock'
import { bytes, instant, secondsBetween, share, span } from '../../lib/format'
import { Bars, type Bar } from '../../ui/charts/Bars'
import { Button } from '../../ui/Button'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { Filter } from '../../ui/Field'
import { Section } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { RECORD_TONES, StatusBadge } from '../../ui/Status'
import { Table, type Column } from '../../ui/Table'
import { Ago } from '../../ui/Time'

const MEASURES = ['stored', 'read', 'took', 'changed'] as const
type Measure = (typeof MEASURES)[number]

const VALUE: Record<Measure, (record: BackupRecord) => number> = {
  stored: (record) => record.storedBytes,
  read: (record) => record.rawBytes,
  took: (record) => (record.statistics?.durationMs ?? 0) / 1000,
  changed: (record) => record.statistics?.changedShare ?? 0,
}

const SCALE: Record<Measure, (value: number) => string> = { stored: bytes, read: bytes, took: span, changed: share }

export function TaskRuns({ task }: { task: Task }) {
  const { t } = useTranslation()
  const [measure, setMeasure] = useState<Measure>('stored')
  const records = useRecords({ taskId: task.id })
  if (records.isPending) return <div className="panel"><Skeleton lines={6} /></div>
  if (records.isError) return <Failure error={records.error} retry={() => records.refetch()} />
  const rows = records.data.pages.flatMap((page) => page.items)
  if (rows.length === 0) return <div className="panel"><Empty icon="play" title={t('tasks.noRun.title')}>{t('tasks.noRun.lead')}</Empty></div>
  const shown = rows.slice(0, 60).reverse()
  const bars = shown.map((record): Bar => ({
    key: record.id,
    record: record.id,
    value: VALUE[measure](record),
    tone: RECORD_TONES[record.status],
    title: `${instant(record.createdAt)}: ${SCALE[measure](VALUE[measure](record))}, ${t(`status.record.${record.status}`)}`,
  }))
  return (
    <>
      {shown.length > 1 && (
        <Section title={t('tasks.chart.title')} beside={<Filter name={t('tasks.chart.measure')} value={measure} options={MEASURES.map((value) => ({ value, label: t(`tasks.chart.${value}`) }))} onValue={setMeasure} />}>
          <Bars bars={bars} name={t('tasks.chart.title')} scale={SCALE[measure]} from={instant(shown[0]?.createdAt ?? '')} to={instant(shown.at(-1)?.createdAt ?? '')} />
        </Section>
      )}
      <Section title={t('nav.runs')} bare>
        <Runs rows={rows} />
        {records.hasNextPage && <div className="table-more"><Button look="plain" busy={records.isFetchingNextPage} onClick={() => { void records.fetchNextPage() }}>{t('records.older')}</Button></div>}
      </Section>
    </>
  )
}

function Runs({ rows }: { rows: readonly BackupRecord[] }) {
  const { t } = useTranslation()
  const now = useNow()
  const columns: Column<BackupRecord>[] = [
    { name: t('records.columns.begun'), kind: 'lead', cell: (record) => <><Link to="/records/$id" params={{ id: String(record.id) }} className="name"><Ago at={record.startedAt ?? record.createdAt} /></Link> <span className="quiet small">#{record.id}</span></> },
    { name: t('records.columns.status'), kind: 'aside', cell: (record) => <StatusBadge status={record.status} /> },
    { name: t('records.columns.took'), kind: 'number', cell: (record) => (record.startedAt ? span(secondsBetween(record.startedAt, record.finishedAt, now)) : '') },
    { name: t('records.columns.read'), kind: 'number', cell: (record) => (record.rawBytes > 0 ? bytes(record.rawBytes) : '') },
    { name: t('records.columns.stored'), kind: 'number', cell: (record) => (record.storedBytes > 0 ? bytes(record.storedBytes) : '') },
    { name: t('tasks.chart.changed'), kind: 'number', cell: (record) => (record.statistics?.changedShare != null ? share(record.statistics.changedShare) : '') },
  ]
  return <Table name={t('nav.runs')} columns={columns} rows={rows} id={(record) => record.id} />
}
