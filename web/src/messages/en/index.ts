// The words of the console in one language, a file a part of it.
import common from './common.json'
import nodes from './nodes.json'
import overview from './overview.json'
import records from './records.json'
import restores from './restores.json'
import session from './session.json'
import storage from './storage.json'
import tasks from './tasks.json'

export const messages = { ...common, ...nodes, ...overview, ...records, ...restores, ...session, ...storage, ...tasks }
