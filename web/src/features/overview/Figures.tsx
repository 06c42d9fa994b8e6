// Four figures that say how things stand, each with what it is out of.
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { BackupRecord, Node, Target, Task } from '../../api/client'
import { isOver } from '../../api/records'
import { useUsages } from '../../api/targets'
import { bytes, count } from '../../lib/format'

interface Props {
  tasks: readonly Task[]
  nodes: readonly Node[] | undefined
  targets: readonly Target[] | undefined
  recent: readonly BackupRecord[] | undefined
  troubled: number
  loading: boolean
}

export function Figures({ tasks, nodes, targets, recent, troubled, loading }: Props) {
  const { t } = useTranslation()
  const usages = useUsages((targets ?? []).slice(0, 20).map((target) => target.id)).map((query) => query.data)
  const stored = usages.reduce((sum, usage) => sum + (usage?.storedBytes ?? 0), 0)
  const copies = usages.reduce((sum, usage) => sum + (usage?.copies ?? 0), 0)
  const online = nodes?.filter((node) => node.status === 'online').length ?? 0
  const running = recent?.filter((record) => record.status === 'running').length ?? 0
  const queued = recent?.filter((record) => !isOver(record)).length ?? 0
  return (
    <ul className="figures">
      <Figure to="/tasks" name={t('overview.figures.tasks')} alarm={troubled > 0} value={loading ? undefined : t('overview.figures.of', { part: count(tasks.length - troubled), whole: count(tasks.length) })} about={t('overview.figures.tasksAbout')} />
      <Figure to="/nodes" name={t('overview.figures.nodes')} alarm={online < (nodes?.length ?? 0)} value={nodes && t('overview.figures.of', { part: count(online), whole: count(nodes.length) })} about={t('overview.figures.nodesAbout')} />
      <Figure to="/records" name={t('overview.figures.running')} value={recent && count(running)} about={queued > running ? t('overview.figures.queued', { count: queued - running }) : t('overview.figures.idle')} />
      <Figure to="/storage" name={t('overview.figures.stored')} value={targets && usages.every((usage) => usage !== undefined) ? bytes(stored) : undefined} about={t('overview.figures.copies', { count: copies })} />
    </ul>
  )
}

function Figure({ to, name, value, about, alarm = false }: { to: '/tasks' | '/nodes' | '/records' | '/storage'; name: string; value: ReactNode; about: string; alarm?: boolean }) {
  return (
    <li>
      <Link to={to} className={alarm ? 'panel figure alarm' : 'panel figure'}>
        <span className="figure-name">{name}</span>
        <span className="figure-value">{value ?? <span className="bone" />}</span>
        <span className="quiet small">{about}</span>
      </Link>
    </li>
  )
}
