// Every page, in both languages and both themes and on a phone: without errors, without serious faults of access, and as a picture.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { open, Visitor, type Looks } from './browser'
import { fleet, type Fleet } from './fleet'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Where pictures go; none are made without it. */
const SHOTS = process.env.BACKUPX_SHOTS
const LARGEST = 150_000

let now: Fleet
let browser: Browser

beforeAll(async () => {
  now = await fleet()
  browser = await open()
})

afterAll(async () => {
  await browser.close()
  await now.world.stop()
})

function pages(): [string, string][] {
  const { tasks, records, nodes, targets, restore } = now
  return [
    ['overview', '/'],
    ['start', '/start'],
    ['tasks', '/tasks'],
    ['task-new', '/tasks/new'],
    ['task', `/tasks/${tasks.website}`],
    ['task-settings', `/tasks/${tasks.media}?tab=settings`],
    ['task-retention', `/tasks/${tasks.website}?tab=retention`],
    ['task-edit', `/tasks/${tasks.shop}/edit`],
    ['runs', '/records'],
    ['run', `/records/${records.website}`],
    ['run-failed', `/records/${records.failed}`],
    ['run-files', `/records/${records.website}?tab=files`],
    ['run-checks', `/records/${records.website}?tab=checks`],
    ['operations', '/operations'],
    ['operation', `/operations/${restore}`],
    ['restore', `/restore?record=${records.website}`],
    ['nodes', '/nodes'],
    ['node', `/nodes/${nodes.web}`],
    ['node-new', '/nodes/new'],
    ['storage', '/storage'],
    ['storage-kinds', '/storage/new'],
    ['storage-new', '/storage/new?kind=s3'],
    ['target', `/storage/${targets.broken}`],
    ['settings', '/settings'],
    ['users', '/settings?tab=users'],
    ['api-keys', '/settings?tab=keys'],
    ['master', '/settings?tab=master'],
    ['missing', '/nowhere'],
  ]
}

/** Nothing is on its way and nothing is a skeleton any more. */
async function settled({ page }: Visitor): Promise<void> {
  await page.locator('h1, h3').first().waitFor()
  await page.waitForFunction(() => document.querySelector('.bone, .files-note[role=status]') === null)
  await page.evaluate(() => document.fonts.ready)
}

interface Fault {
  id: string
  impact: string
  nodes: { html: string; failureSummary: string }[]
}

async function accessFaults({ page }: Visitor): Promise<string[]> {
  await page.evaluate(AXE)
  const found = await page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: { run: (context: unknown, options: unknown) => Promise<{ violations: Fault[] }> } }).axe
    return (await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })).violations
  })
  return found.filter((fault) => fault.impact === 'serious' || fault.impact === 'critical').flatMap((fault) => fault.nodes.slice(0, 3).map((node) => `${fault.id}: ${node.html.slice(0, 160)} ${node.failureSummary.split('\n')[1] ?? ''}`))
}

async function picture(visitor: Visitor, name: string): Promise<void> {
  if (!SHOTS) return
  mkdirSync(SHOTS, { recursive: true })
  const path = join(SHOTS, `${name}.png`)
  const image = await visitor.page.screenshot({ animations: 'disabled', scale: 'css' })
  writeFileSync(path, image)
  execFileSync('pngquant', ['--force', '--speed', '1', '--strip', '--output', path, '96', path])
  expect(readFileSync(path).length, name).toBeLessThan(LARGEST)
}

async function tour(looks: Looks, suffix: string | undefined): Promise<void> {
  const visitor = await Visitor.come(browser, now.world, looks)
  const faults: string[] = []
  await visitor.go('/')
  await visitor.page.locator('input[name=username]').waitFor()
  faults.push(...(await accessFaults(visitor)).map((fault) => `sign-in ${fault}`))
  if (suffix !== undefined) await picture(visitor, `sign-in${suffix}`)
  await visitor.signIn('/')
  for (const [name, path] of pages()) {
    await visitor.go(path)
    await settled(visitor)
    faults.push(...(await accessFaults(visitor)).map((fault) => `${name} ${fault}`))
    // A page that scrolls sideways cannot be read on a phone.
    const wide = await visitor.page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
    if (wide) faults.push(`${name} is wider than its window`)
    if (suffix !== undefined) await picture(visitor, `${name}${suffix}`)
  }
  await visitor.go('/')
  await settled(visitor)
  await visitor.page.keyboard.press('Control+k')
  await visitor.page.getByRole('combobox').fill('web')
  await visitor.page.getByRole('option').first().waitFor()
  faults.push(...(await accessFaults(visitor)).map((fault) => `palette ${fault}`))
  if (suffix !== undefined) await picture(visitor, `palette${suffix}`)
  expect(faults).toEqual([])
  await visitor.leave()
}

describe('every page', () => {
  it('holds in English by day', async () => { await tour({ language: 'en', theme: 'light' }, '') })
  it('holds in English by night', async () => { await tour({ language: 'en', theme: 'dark' }, '-dark') })
  it('holds in Chinese by day', async () => { await tour({ language: 'zh-CN', theme: 'light' }, undefined) })
  it('holds in Chinese by night', async () => { await tour({ language: 'zh-CN', theme: 'dark' }, undefined) })
  it('holds in its dialogs and steps', async () => {
    const visitor = await Visitor.come(browser, now.world)
    const { page } = visitor
    const faults: string[] = []
    const look = async (name: string) => {
      faults.push(...(await accessFaults(visitor)).map((fault) => `${name} ${fault}`))
      await picture(visitor, name)
    }
    await visitor.signIn('/nodes/new')
    await page.getByLabel('Names').fill('app1')
    await visitor.button('Make the node').click()
    await page.getByText('Waiting for its call').waitFor()
    await look('node-join')
    await visitor.go(`/tasks/${now.tasks.website}/edit`)
    await visitor.button(/When$/).click()
    await page.locator('.schedule-says li').nth(4).waitFor()
    await look('task-when')
    await visitor.button(/Keep how long$/).click()
    await page.getByText('After a year of a backup a day').waitFor()
    await look('task-keep')
    await visitor.go(`/records/${now.records.website}`)
    await visitor.button('More actions').click()
    await page.getByRole('menuitem', { name: 'Verify…' }).click()
    await page.getByRole('dialog').waitFor()
    await look('run-verify')
    await page.keyboard.press('Escape')
    await visitor.go(`/restore?record=${now.records.website}`)
    await page.getByText('Some files and folders').click()
    await page.getByRole('checkbox', { name: /index\.html/ }).check()
    await look('restore-some')
    expect(faults).toEqual([])
    await visitor.leave()
  })
  it('holds on a phone', async () => { await tour({ language: 'en', theme: 'light', phone: true }, '-phone') })
})
