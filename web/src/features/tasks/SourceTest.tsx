// Tries what a task reads from its node, and lists the databases that are there.
import { useTranslation } from 'react-i18next'
import type { Task } from '../../api/client'
import { useMay } from '../../api/people'
import { useTaskActions } from '../../api/tasks'
import { bytes } from '../../lib/format'
import { Button } from '../../ui/Button'
import { Failure } from '../../ui/Failure'
import { Section } from '../../ui/Page'
import { TestSteps } from '../../ui/TestSteps'

export function SourceTest({ task }: { task: Task }) {
  const { t } = useTranslation()
  const operator = useMay('operator')
  const { test } = useTaskActions()
  if (!operator) return null
  return (
    <Section title={t('tasks.test.title')} beside={<Button icon="refresh" busy={test.isPending} onClick={() => { test.mutate(task.id) }}>{t('tasks.test.action')}</Button>}>
      {test.isIdle && <p className="quiet">{t('tasks.test.lead')}</p>}
      {test.isPending && <p className="quiet" role="status">{t('tasks.test.busy')}</p>}
      {test.error && <Failure error={test.error} />}
      {test.data && (
        <div className="stack">
          <TestSteps steps={test.data.steps} />
          {test.data.databases.length > 0 && (
            <ul className="row" aria-label={t('tasks.test.databases')}>
              {test.data.databases.map((database) => <li key={database.name} className="tag">{database.name}{database.sizeBytes != null && `, ${bytes(database.sizeBytes)}`}</li>)}
            </ul>
          )}
        </div>
      )}
    </Section>
  )
}
