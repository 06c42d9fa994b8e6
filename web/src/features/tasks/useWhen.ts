// When a task runs, in words: by its schedule, after others, or by hand.
import { useTranslation } from 'react-i18next'
import type { Task } from '../../api/client'
import { useTasks } from '../../api/tasks'
import { listed } from '../../lib/format'
import { useSentence } from '../../lib/useSentence'

export function useWhen(): (task: Task) => string {
  const { t } = useTranslation()
  const sentence = useSentence()
  const names = new Map((useTasks().data ?? []).map((task) => [task.id, task.name]))
  return (task) => {
    const parts = [
      ...(task.schedule ? [sentence(task.schedule.cron, task.schedule.timezone)] : []),
      ...(task.after ? [t('tasks.after', { names: listed(task.after.taskIds.map((id) => names.get(id) ?? `#${id}`)) })] : []),
    ]
    return parts.length > 0 ? parts.join('; ') : t('tasks.byHand')
  }
}
