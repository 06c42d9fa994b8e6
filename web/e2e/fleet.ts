// A small company's backups, as they look after a while: most things well, a few not.
import { until } from './until'
import { postgres, s3, sql, World } from './world'

export interface Fleet {
  world: World
  tasks: Record<'website' | 'shop' | 'etc' | 'media' | 'legacy' | 'mail', number>
  /** A run of `website`, one of `shop`, one that failed. */
  records: { website: number; shop: number; failed: number }
  nodes: { web: number; mail: number }
  targets: { s3: number; broken: number }
  restore: number
}

export async function fleet(): Promise<Fleet> {
  const world = await World.start({ BACKUPX_NODE_OFFLINE_AFTER: '20s' })
  await world.setUp()
  const made = async (path: string, body: unknown) => (await world.ask<{ id: number }>('POST', path, body)).id

  const mail = await world.node('mail1', ['prod'])
  mail.agent.kill('SIGKILL')
  const web = await world.node('web1', ['prod', 'web'])
  const db = await world.node('db1', ['prod', 'db'])
  await made('/nodes', { name: 'archive2', labels: ['archive'] })

  const nas = await made('/targets', { name: 'nas', type: 'local', config: { path: world.path('nas') } })
  const { secretAccessKey, ...rest } = s3()
  const offsite = await made('/targets', { name: 'offsite', type: 's3', config: { ...rest, secretAccessKey, prefix: `console-${Date.now()}` } })
  const broken = await made('/targets', { name: 'old-bucket', type: 's3', config: { ...rest, secretAccessKey: 'not the secret', prefix: 'old' } })
  for (const id of [nas, offsite, broken]) await world.ask('POST', `/targets/${id}/test`, {})

  sql('postgres', 'DROP DATABASE IF EXISTS webshop')
  sql('postgres', 'CREATE DATABASE webshop')
  sql('webshop', "CREATE TABLE orders (id int primary key, note text); INSERT INTO orders SELECT n, repeat('order ', 20) || n FROM generate_series(1, 5000) n")
  const source = tree(world)
  const nightly = { cron: '30 2 * * *', timezone: 'Europe/Berlin' }
  const keep = { keepLast: 20, keepDaily: 14, keepWeekly: 8, keepMonthly: 12, keepYearly: 0 }
  const server = { host: '127.0.0.1', port: postgres().port, user: 'backupx', tls: 'off' }
  const website = await made('/tasks', { name: 'website', nodeId: web.id, source: { type: 'file', paths: [source], excludes: ['*.tmp'] }, targetIds: [nas, offsite], schedule: nightly, retention: keep, encrypt: true, verify: [{ mode: 'quick', cron: '0 5 * * 0' }] })
  const shop = await made('/tasks', { name: 'shop-database', nodeId: db.id, source: { type: 'postgresql', server, databases: { only: ['webshop'] }, tools: postgres().tools, accounts: false }, targetIds: [nas, offsite], schedule: { cron: '*/30 * * * *', timezone: 'Europe/Berlin' }, retention: keep, encrypt: true })
  const etc = await made('/tasks', { name: 'etc', nodeId: 0, source: { type: 'file', paths: [world.tree('etc', { hosts: '127.0.0.1 localhost\n', 'ssh/sshd_config': 'PermitRootLogin no\n' })] }, targetIds: [nas], schedule: { cron: '0 4 * * mon', timezone: 'Europe/Berlin' }, retention: keep, encrypt: true })
  const media = await made('/tasks', { name: 'media', nodeId: web.id, source: { type: 'file', paths: [source] }, targetIds: [nas, broken], after: { taskIds: [website], when: 'all' }, encrypt: true })
  const legacy = await made('/tasks', { name: 'legacy-share', nodeId: 0, source: { type: 'file', paths: [world.path('not-mounted')] }, targetIds: [offsite], schedule: { cron: '0 1 * * *', timezone: 'UTC' }, encrypt: true })
  const mailTask = await made('/tasks', { name: 'mailboxes', nodeId: mail.id, source: { type: 'file', paths: ['/var/mail'] }, targetIds: [offsite], schedule: { cron: '15 3 * * *', timezone: 'Europe/Berlin' }, encrypt: true })

  let last = { id: 0, status: '' }
  let dump = last
  for (let turn = 0; turn < 9; turn += 1) {
    world.tree('site', { [`posts/2026/${turn}.md`]: `# Post ${turn}\n`.repeat(200 * (turn + 2)) })
    ;[last, dump] = await Promise.all([world.runTask(website), turn % 3 === 0 ? world.runTask(shop) : dump, turn % 2 === 0 ? world.runTask(etc) : undefined])
  }
  const failed = await world.runTask(legacy)
  // It follows the website by itself.
  await until('the media are degraded', async () => (await world.ask<{ items: unknown[] }>('GET', `/records?taskId=${media}&status=degraded&limit=1`)).items.length > 0)
  await world.ask('POST', `/records/${last.id}/lock`, { reason: 'Before the move to the new host' })
  const operation = await made('/restores', { recordId: last.id, nodeId: web.id, to: world.path('restored') })
  const over = async (id: number) => ['success', 'failed'].includes((await world.ask<{ status: string }>('GET', `/operations/${id}`)).status)
  const check = await made(`/records/${last.id}/verify`, { mode: 'full' })
  await until('what was asked of the run is over', async () => (await over(operation)) && (await over(check)))
  await world.ask('POST', '/users', { username: 'olga', password: 'another long password', role: 'operator' })
  await world.ask('POST', '/api-keys', { name: 'monitoring', role: 'viewer' })
  await until('the mail server is missed', async () => (await world.ask<{ status: string }>('GET', `/nodes/${mail.id}`)).status === 'offline')
  return {
    world,
    tasks: { website, shop, etc, media, legacy, mail: mailTask },
    records: { website: last.id, shop: dump.id, failed: failed.id },
    nodes: { web: web.id, mail: mail.id },
    targets: { s3: offsite, broken },
    restore: operation,
  }
}

/** A site with more files than one wants to restore. */
export function tree(world: World): string {
  const files: Record<string, string> = { 'index.html': '<h1>Welcome</h1>\n', 'imprint.html': '<h1>Imprint</h1>\n', 'config/site.yaml': 'title: Welcome\n' }
  for (let folder = 0; folder < 20; folder += 1) {
    for (let file = 0; file < 25; file += 1) files[`assets/gallery-${String(folder).padStart(2, '0')}/picture-${String(file).padStart(3, '0')}.svg`] = `<svg><title>${folder}/${file}</title></svg>\n`
  }
  return world.tree('site', files)
}
