// What people come for: a node that joins, a log that is followed, a target that fails, two files out of many.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { open, Visitor } from './browser'
import { tree } from './fleet'
import { until } from './until'
import { postgres, s3, sql, variable, World } from './world'

let world: World
let browser: Browser
let web: number
let nas: number

beforeAll(async () => {
  world = await World.start()
  await world.setUp()
  browser = await open()
  web = (await world.node('web1', ['web'])).id
  nas = (await world.ask<{ id: number }>('POST', '/targets', { name: 'nas', type: 'local', config: { path: world.path('nas') } })).id
})

afterAll(async () => {
  await browser.close()
  await world.stop()
})

describe('the node wizard', () => {
  it('ends in one command, and watches the node come online', async () => {
    const visitor = await Visitor.come(browser, world)
    const { page } = visitor
    await visitor.signIn('/nodes/new')
    await page.getByLabel('Names').fill('joined[1-2]')
    await page.getByLabel('Labels').fill('fresh')
    await page.getByText('In the foreground').click()
    await visitor.button('Make 2 nodes').click()
    const region = page.getByRole('region', { name: 'Command for joined1' })
    const command = (await region.textContent()) ?? ''
    expect(command).toContain(`master: ${world.url}`)
    await page.getByText('Waiting for its call').first().waitFor()

    // Pasted into a shell as it stands; the program is on the path there.
    const home = world.path('home')
    execFileSync('mkdir', ['-p', home, world.path('bin')])
    execFileSync('ln', ['-s', variable('BACKUPX_BIN'), world.path('bin', 'backupx')])
    const shell = spawn('bash', ['-c', command], { env: { HOME: home, PATH: `${world.path('bin')}:${process.env.PATH ?? ''}` }, stdio: 'ignore', detached: true })
    try {
      await page.getByRole('link', { name: 'Back it up' }).waitFor()
      const nodes = await world.ask<{ items: { name: string; status: string; labels: string[] }[] }>('GET', '/nodes')
      expect(nodes.items.find((node) => node.name === 'joined1')).toMatchObject({ status: 'online', labels: ['fresh'] })
      expect(nodes.items.find((node) => node.name === 'joined2')).toMatchObject({ status: 'new' })
    } finally {
      if (shell.pid) process.kill(-shell.pid, 'SIGTERM')
    }
    await visitor.leave()
  })
})

describe('a live log', () => {
  it('goes on behind a reload, to the end', async () => {
    const visitor = await Visitor.come(browser, world)
    const { page } = visitor
    await visitor.signIn('/')
    const source = world.tree('live', Object.fromEntries(Array.from({ length: 3000 }, (_, file) => [`f${file}`, `${file}`.repeat(2000)])))
    const task = await world.ask<{ id: number }>('POST', '/tasks', { name: 'live', nodeId: web, source: { type: 'file', paths: [source] }, targetIds: [nas], encrypt: true, maxUnreadable: 5 })
    await visitor.go(`/tasks/${task.id}`)
    await visitor.button('Run now').click()
    await page.getByRole('log').waitFor()
    await page.reload()
    await page.getByRole('log').waitFor()
    const record = Number(/records\/(\d+)/.exec(page.url())?.[1])
    await page.getByText('Complete', { exact: true }).waitFor()
    const lines = (await world.ask<{ items: { message: string }[] }>('GET', `/records/${record}/logs?limit=500`)).items
    expect(lines.length).toBeGreaterThan(0)
    const shown = await page.getByRole('log').locator('.log-text').allTextContents()
    expect(shown).toEqual(lines.map((line) => line.message))
    await visitor.leave()
  })
})

describe('a failing target', () => {
  it('is told by its test step by step, mended in place, and the run says who failed', async () => {
    const visitor = await Visitor.come(browser, world)
    const { page } = visitor
    const { endpoint, bucket, region, accessKeyId, secretAccessKey } = s3()
    await visitor.signIn('/storage/new')
    await page.getByRole('searchbox').fill('compatible')
    await page.getByRole('button', { name: 'S3 and compatible' }).click()
    await page.getByLabel('Name', { exact: true }).fill('offsite')
    await page.getByLabel('Bucket', { exact: true }).fill(bucket)
    await page.getByLabel('Region').fill(region)
    await page.getByLabel('Endpoint').fill(endpoint)
    await page.getByLabel('Folder in it').fill(`work-${Date.now()}`)
    await page.getByLabel('Access key id').fill(accessKeyId)
    await page.getByLabel('Secret access key').fill('not the secret')
    await visitor.button('Add and test').click()
    await page.getByText('It is set up, but it does not work yet.').waitFor()

    const targets = await world.ask<{ items: { id: number; name: string }[] }>('GET', '/targets?name=offsite')
    const offsite = targets.items[0]?.id ?? 0
    const task = await world.ask<{ id: number }>('POST', '/tasks', { name: 'two-places', nodeId: web, source: { type: 'file', paths: [tree(world)] }, targetIds: [nas, offsite], encrypt: true })
    const run = await world.runTask(task.id)
    expect(run.status).toBe('degraded')

    await page.getByLabel('Secret access key').fill(secretAccessKey)
    await visitor.button('Save and test').click()
    await page.getByText('It can be written, read, listed and cleaned up.').waitFor()

    await visitor.go('/')
    const attention = page.getByRole('region', { name: 'Needs attention' })
    await attention.getByRole('link', { name: 'two-places' }).click()
    await page.locator('.page-head').getByText('Degraded').waitFor()
    const copies = page.getByRole('region', { name: 'Copies' })
    await copies.getByText('Failed', { exact: true }).waitFor()
    // While what the failed copy left behind is being removed, the master asks for patience.
    await until('the retry is taken', async () => {
      await visitor.button('Retry failed targets').click({ timeout: 2_000 })
      await page.waitForURL(/operations/, { timeout: 2_000 })
      return true
    })
    await page.locator('.page-head').getByText('Done', { exact: true }).waitFor()
    await until('the run is whole', async () => (await world.ask<{ status: string }>('GET', `/records/${run.id}`)).status === 'success')
    await visitor.leave()
  })
})

describe('two files out of a big tree', () => {
  it('come back alone', async () => {
    const site = tree(world)
    const task = await world.ask<{ id: number }>('POST', '/tasks', { name: 'site', nodeId: web, source: { type: 'file', paths: [site] }, targetIds: [nas], encrypt: true })
    await world.runTask(task.id)
    const visitor = await Visitor.come(browser, world)
    const { page } = visitor
    await visitor.signIn('/restore')
    await page.getByLabel('The task that backed it up').selectOption('site')
    await page.getByText('Some files and folders').click()
    await page.getByRole('button', { name: 'Open assets' }).click()
    await page.getByRole('button', { name: 'Open gallery-07' }).click()
    await page.getByRole('searchbox').fill('picture-01')
    await page.getByRole('checkbox', { name: /gallery-07\/picture-013\.svg/ }).check()
    await page.getByRole('searchbox').fill('')
    await page.getByRole('checkbox', { name: /\/index\.html/ }).check()
    await page.getByText('2 items picked').first().waitFor()
    const to = world.path('two')
    await page.getByLabel('Folder on that node').fill(to)
    await visitor.button('Show what would change').click()
    await page.getByRole('region', { name: 'What would change' }).last().getByText('picture-013.svg').waitFor()
    expect(existsSync(to)).toBe(false)
    await visitor.button('Restore').click()
    await page.locator('.page-head').getByText('Done', { exact: true }).waitFor()
    expect(readFileSync(`${to}${site}/index.html`, 'utf8')).toBe('<h1>Welcome</h1>\n')
    expect(readdirSync(`${to}${site}/assets`)).toEqual(['gallery-07'])
    expect(readdirSync(`${to}${site}/assets/gallery-07`)).toEqual(['picture-013.svg'])
    await visitor.leave()
  })
})

describe('a database', () => {
  it('is set up in the form, tried, backed up and put back under another name', async () => {
    sql('postgres', 'DROP DATABASE IF EXISTS console_shop')
    sql('postgres', 'DROP DATABASE IF EXISTS console_copy')
    sql('postgres', 'CREATE DATABASE console_shop')
    sql('console_shop', 'CREATE TABLE orders (id int); INSERT INTO orders SELECT generate_series(1, 100)')
    const visitor = await Visitor.come(browser, world)
    const { page } = visitor
    await visitor.signIn('/tasks/new')
    await page.getByLabel('Name', { exact: true }).fill('shop')
    await page.getByText('PostgreSQL').click()
    await page.getByLabel('Node', { exact: true }).selectOption({ label: 'web1' })
    await page.getByLabel('Host').fill('127.0.0.1')
    await page.getByLabel('Port').fill(String(postgres().port))
    await page.getByLabel('User', { exact: true }).fill('backupx')
    await page.getByLabel('Folder with the tools').fill(postgres().tools)
    await page.getByLabel('Only these').fill('console_shop')
    await page.getByLabel('Keep users and their rights, too').uncheck()
    await visitor.button('Next').click()
    await page.getByRole('checkbox', { name: 'nas' }).check()
    await visitor.button('Next').click()
    await page.getByLabel('How often').selectOption('week')
    await page.locator('.day-pick', { hasText: 'Wed' }).click()
    await page.getByLabel('At', { exact: true }).fill('23:15')
    await page.getByText('Every Wednesday and Sunday at 11:15').first().waitFor()
    await page.locator('.schedule-says li').nth(4).waitFor()
    await visitor.button('Next').click()
    await page.getByText('After a year of a backup a day').waitFor()
    await visitor.button('Next').click()
    await visitor.button('Create the task').click()

    await visitor.heading('shop').waitFor()
    const { id } = (await world.ask<{ items: { id: number; version: number }[] }>('GET', '/tasks?name=shop')).items[0] ?? { id: 0 }
    await visitor.button('Test source').click()
    await page.getByRole('list', { name: 'Databases found' }).getByText('console_shop').waitFor()
    const run = await world.runTask(id)
    expect(run.status).toBe('success')

    await visitor.go(`/restore?record=${run.id}`)
    await page.getByText('Into a database server').click()
    await page.getByText('Some databases').click()
    await page.getByRole('checkbox', { name: 'console_shop' }).check()
    await page.getByLabel('New name of the database').fill('console_copy')
    await visitor.button('Restore').click()
    await page.locator('.page-head').getByText('Done', { exact: true }).waitFor()
    expect(sql('console_copy', 'SELECT count(*) FROM orders')).toBe('100')
    await visitor.leave()
  })
})
