// What most pages need, asked for while the page itself is on its way.
import { everyNode } from './nodes'
import { queries } from './queries'
import { everyTask } from './tasks'

export function warmUp(): void {
  // The pages that need them tell of what went wrong.
  queries.query(everyTask).catch(() => undefined)
  queries.query(everyNode).catch(() => undefined)
}
