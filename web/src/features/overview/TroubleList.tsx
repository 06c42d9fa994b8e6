// What needs somebody: each with its cause and the way to it.
import { Link } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { sentence } from '../../lib/format'
import { Badge, type Tone } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { Section } from '../../ui/Page'
import { Ago } from '../../ui/Time'
import type { Trouble } from './worst'

const SHOWN = 6

export function TroubleList({ troubles }: { troubles: readonly Trouble[] }) {
  const { t } = useTranslation()
  const [all, setAll] = useState(false)
  const shown = all ? troubles : troubles.slice(0, SHOWN)
  return (
    <Section title={t('overview.attention')} beside={<Badge tone="bad">{String(troubles.length)}</Badge>} bare>
      <ul className="troubles">{shown.map((trouble) => <Line key={keyOf(trouble)} trouble={trouble} />)}</ul>
      {troubles.length > shown.length && <div className="table-more"><Button look="plain" onClick={() => { setAll(true) }}>{t('overview.allTroubles', { count: troubles.length })}</Button></div>}
    </Section>
  )
}

function keyOf(trouble: Trouble): string {
  switch (trouble.kind) {
    case 'run':
    case 'alarm':
    case 'drill':
      return `${trouble.kind}${trouble.record.id}`
    case 'offline':
      return `node${trouble.node.id}`
    case 'lost':
      return `lost${trouble.target.id}`
    case 'target':
      return `target${trouble.target.id}`
    case 'late':
      return `late${trouble.task.id}`
  }
}

function Line({ trouble }: { trouble: Trouble }) {
  const { t } = useTranslation()
  switch (trouble.kind) {
    case 'run': {
      const { record, status } = trouble
      const cause = record.error?.message ?? record.copies.find((copy) => copy.error)?.error ?? ''
      return <Item tone={status === 'degraded' ? 'warn' : 'bad'} state={t(`status.record.${status}`)} name={record.taskName} link={<Link to="/records/$id" params={{ id: String(record.id) }} className="trouble-link">{record.taskName}</Link>} cause={cause && sentence(cause)} at={record.finishedAt} />
    }
    case 'alarm':
      return <Item tone="warn" state={t('overview.odd')} name={trouble.record.taskName} link={<Link to="/records/$id" params={{ id: String(trouble.record.id) }} className="trouble-link">{trouble.record.taskName}</Link>} cause={trouble.record.alarm?.findings.map((finding) => sentence(finding.message)).join(' ')} at={trouble.record.finishedAt} />
    case 'drill':
      return <Item tone="bad" state={t('overview.drill')} name={trouble.record.taskName} link={<Link to="/records/$id" params={{ id: String(trouble.record.id) }} search={{ tab: 'checks' }} className="trouble-link">{trouble.record.taskName}</Link>} cause={trouble.record.drill?.error && sentence(trouble.record.drill.error.message)} at={trouble.record.drill?.at} />
    case 'offline':
      return <Item tone="bad" state={t('status.node.offline')} name={trouble.node.name} link={<Link to="/nodes/$id" params={{ id: String(trouble.node.id) }} className="trouble-link">{trouble.node.name}</Link>} cause={t('overview.offlineTasks', { count: trouble.tasks })} at={trouble.node.lastSeenAt} />
    case 'lost': {
      const { target } = trouble
      const check = target.lastCheck
      const lost = check && check.lost > 0 ? t('storage.check.lost', { count: check.lost }) : undefined
      return <Item tone={lost ? 'bad' : 'warn'} state={t(lost ? 'overview.lost' : 'overview.unchecked')} name={target.name} link={<Link to="/storage/$id" params={{ id: String(target.id) }} className="trouble-link">{target.name}</Link>} cause={lost ?? (check?.failure && sentence(check.failure))} at={check?.finishedAt} />
    }
    case 'target':
      return <Item tone="warn" state={t('overview.target')} name={trouble.target.name} link={<Link to="/storage/$id" params={{ id: String(trouble.target.id) }} className="trouble-link">{trouble.target.name}</Link>} cause={trouble.target.lastTest && sentence(trouble.target.lastTest.message)} at={trouble.target.lastTest?.at} />
    case 'late':
      return <Item tone="bad" state={t('overview.late')} name={trouble.task.name} link={<Link to="/tasks/$id" params={{ id: String(trouble.task.id) }} className="trouble-link">{trouble.task.name}</Link>} cause={t('overview.lateCause')} at={trouble.task.nextRunAt} />
  }
}

function Item({ tone, state, link, cause, at }: { tone: Tone; state: string; name: string; link: ReactNode; cause: string | null | undefined; at: string | null | undefined }) {
  return (
    <li className="trouble">
      <Badge tone={tone}>{state}</Badge>
      {link}
      <span className="trouble-cause quiet">{cause}</span>
      <span className="quiet small nowrap">{at && <Ago at={at} />}</span>
    </li>
  )
}
