// Each task with its last runs as a strip, and how old its newest good backup is.
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { BackupRecord, Task } from '../../api/client'
import { count } from '../../lib/format'
import { Button } from '../../ui/Button'
import { Strip } from '../../ui/charts/Strip'
import { Section } from '../../ui/Page'
import { Ago } from '../../ui/Time'
import { lastGood } from './worst'

export function TaskStrips({ tasks, strips, total, onMore }: { tasks: readonly Task[]; strips: ReadonlyMap<number, readonly BackupRecord[]>; total: number; onMore: () => void }) {
  const { t } = useTranslation()
  return (
    <Section title={t('overview.tasks')} beside={<span className="quiet small">{t('overview.stripLead')}</span>} bare>
      <ul className="strips">
        {tasks.map((task) => {
          const records = strips.get(task.id)
          const good = lastGood(records)
          return (
            <li key={task.id} className="strip-row">
              <Link to="/tasks/$id" params={{ id: String(task.id) }} className="trouble-link">{task.name}</Link>
              <span className={records && !good ? 'tone-text-bad small' : 'quiet small'}>
                {good ? <>{t('overview.lastGood')} <Ago at={good.finishedAt ?? good.createdAt} /></> : records && t('overview.noGood')}
              </span>
              <Strip records={records} task={task.name} />
            </li>
          )
        })}
      </ul>
      {total > tasks.length && (
        <div className="table-more">
          <span className="quiet small">{t('shown', { shown: count(tasks.length), all: count(total) })}</span>
          <Button look="plain" onClick={onMore}>{t('more')}</Button>
        </div>
      )}
    </Section>
  )
}
