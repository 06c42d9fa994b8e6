// What the schedules bring next.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Task } from '../../api/client'
import { Section } from '../../ui/Page'
import { Ago } from '../../ui/Time'

const SHOWN = 6

export function NextRuns({ tasks }: { tasks: readonly Task[] }) {
  const { t } = useTranslation()
  const next = tasks
    .flatMap((task) => (task.enabled && task.nextRunAt ? [{ task, at: task.nextRunAt }] : []))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    .slice(0, SHOWN)
  return (
    <Section title={t('overview.next')}>
      {next.length === 0 ? <p className="quiet">{t('overview.noNext')}</p> : (
        <ul className="stack tight">
          {next.map(({ task, at }) => (
            <li key={task.id} className="row between">
              <Link to="/tasks/$id" params={{ id: String(task.id) }} className="trouble-link">{task.name}</Link>
              <span className="quiet small"><Ago at={at} /></span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}
