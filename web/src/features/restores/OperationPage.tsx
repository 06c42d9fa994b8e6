// What is done with a run: how it goes or went, what it came to, and its log.
import { Link, getRouteApi } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Operation } from '../../api/client'
import { useNodeNames } from '../../api/nodes'
import { isDone, useOperation, useOperationActions } from '../../api/operations'
import { useMay } from '../../api/people'
import { useRecord } from '../../api/records'
import { useNow } from '../../lib/clock'
import { secondsBetween, sentence, span } from '../../lib/format'
import { Button } from '../../ui/Button'
import { Failure } from '../../ui/Failure'
import { Log } from '../../ui/log/Log'
import { Moving } from '../../ui/Moving'
import { Note } from '../../ui/Note'
import { Crumb, Fact, Facts, PageHead, Section } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { OperationBadge } from '../../ui/Status'
import { At } from '../../ui/Time'
import { Report } from './Report'

const route = getRouteApi('/operations/$id')

export function OperationPage() {
  const operation = useOperation(Number(route.useParams().id))
  if (operation.isPending) return <div className="panel"><Skeleton lines={8} /></div>
  if (!operation.data) return <Failure error={operation.error} retry={() => operation.refetch()} />
  return <Loaded key={operation.data.id} operation={operation.data} />
}

function Loaded({ operation }: { operation: Operation }) {
  const { t } = useTranslation()
  const record = useRecord(operation.recordId).data
  const { cancel } = useOperationActions()
  const operator = useMay('operator')
  const what = operation.kind === 'verify' ? t(`operations.verify.${operation.mode}`) : operation.kind === 'restore' && operation.dryRun ? t('restores.dryRun') : t(`operations.kind.${operation.kind}`)
  const done = isDone(operation)
  return (
    <div className="stack wide">
      <PageHead
        title={what}
        crumb={<Crumb to="/records/$id" params={{ id: String(operation.recordId) }} search={{ tab: 'checks' }}>{record ? `${record.taskName} #${record.id}` : `#${operation.recordId}`}</Crumb>}
        beside={<OperationBadge status={operation.status} />}
        actions={operator && !done && <Button look="danger" icon="close" busy={cancel.isPending} disabled={Boolean(operation.cancelRequestedAt)} onClick={() => { cancel.mutate(operation.id) }}>{operation.cancelRequestedAt ? t('progress.stopping') : t('restores.stop')}</Button>}
      />
      {cancel.error && <Failure error={cancel.error} />}
      {operation.error && <Note tone="bad"><p className="strong">{t('records.error')}</p><p>{sentence(operation.error.message)}</p></Note>}
      {!done && (
        <Section title={t('progress.title')}>
          <Moving progress={operation.progress} startedAt={operation.startedAt} queued={operation.status === 'queued'} stopping={Boolean(operation.cancelRequestedAt)} name={what} />
        </Section>
      )}
      {operation.report && <Report report={operation.report} dryRun={operation.kind === 'restore' && operation.dryRun} />}
      <OperationFacts operation={operation} />
      <Log kind="operations" id={operation.id} />
    </div>
  )
}

function OperationFacts({ operation }: { operation: Operation }) {
  const { t } = useTranslation()
  const nodes = useNodeNames()
  const now = useNow()
  return (
    <Section title={t('records.facts')}>
      <Facts>
        <Fact name={t('restores.fact.record')}><Link to="/records/$id" params={{ id: String(operation.recordId) }}>#{operation.recordId}</Link></Fact>
        <Fact name={t('records.fact.node')}>{nodes(operation.nodeId) ?? `#${operation.nodeId}`}</Fact>
        <Fact name={t('records.fact.begun')}><At at={operation.startedAt ?? operation.createdAt} /></Fact>
        {operation.startedAt && <Fact name={t('records.fact.took')}>{span(secondsBetween(operation.startedAt, operation.finishedAt, now))}</Fact>}
        {operation.kind === 'restore' && (
          <>
            <Fact name={t('restores.fact.to')}>{operation.to ? <code>{operation.to}</code> : t('restores.to.original')}</Fact>
            <Fact name={t('restores.fact.what')}>{operation.include.length === 0 ? t('everything') : operation.include.map((path) => <code key={path} className="line">{path}</code>)}</Fact>
            <Fact name={t('restores.fact.overwrite')}>{t(`restores.overwrite.${operation.overwrite}`)}</Fact>
          </>
        )}
      </Facts>
    </Section>
  )
}
