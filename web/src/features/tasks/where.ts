// Words about a task that several of its pages say.
import type { Schemas, Task } from '../../api/client'

/** What a source reads, as short as it can be said. */
export function readsOf(source: Schemas['Source']): readonly string[] {
  switch (source.type) {
    case 'file':
    case 'sqlite':
      return source.paths
    case 'mysql':
    case 'postgresql':
    case 'mongodb':
    case 'saphana':
      return source.databases?.only ?? []
  }
}

/** Whether its schedule rests now. */
export function isPaused(task: Task, now: number): boolean {
  return Boolean(task.pausedUntil) && Date.parse(task.pausedUntil ?? '') > now
}
