// What retention keeps of a task's copies and why, and what it lets go next.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Schemas, Task } from '../../api/client'
import { useTargetNames } from '../../api/targets'
import { useRetentionPlan } from '../../api/tasks'
import { Badge } from '../../ui/Badge'
import { Empty } from '../../ui/Empty'
import { Failure } from '../../ui/Failure'
import { Section } from '../../ui/Page'
import { Skeleton } from '../../ui/Skeleton'
import { Table, type Column } from '../../ui/Table'
import { At } from '../../ui/Time'

type Decision = Schemas['RetentionDecision']

export function TaskRetention({ task }: { task: Task }) {
  const { t, i18n } = useTranslation()
  const target = useTargetNames()
  const plan = useRetentionPlan(task.id)
  const why = (reason: string) => (i18n.exists(`retention.reason.${reason}`) ? t(`retention.reason.${reason}` as 'retention.reason.last') : reason)
  const columns: Column<Decision>[] = [
    { name: t('retention.at'), kind: 'lead', cell: (one) => <><Link to="/records/$id" params={{ id: String(one.recordId) }} className="name"><At at={one.receivedAt} /></Link> <span className="quiet small">#{one.recordId}</span></> },
    { name: t('retention.fate'), kind: 'aside', cell: (one) => <Badge tone={one.keep ? 'good' : 'idle'}>{t(one.keep ? 'retention.stays' : 'retention.goes')}</Badge> },
    { name: t('tasks.columns.to'), cell: (one) => target(one.targetId) },
    { name: t('retention.why'), cell: (one) => one.reasons.map(why).join(', ') },
  ]
  return (
    <Section title={t('tasks.tabs.retention')} bare>
      {plan.isPending && <Skeleton />}
      {plan.error && <div className="section-body"><Failure error={plan.error} retry={() => plan.refetch()} /></div>}
      {plan.data?.length === 0 && <Empty icon="clock" title={t('retention.nothing')} />}
      {plan.data && plan.data.length > 0 && <Table name={t('tasks.tabs.retention')} columns={columns} rows={plan.data} id={(one) => `${one.recordId} ${one.targetId}`} />}
    </Section>
  )
}
