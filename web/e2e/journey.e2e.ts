// From the first start to the first restore, as a newcomer goes.
import { readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { open, Visitor } from './browser'
import { PASSWORD, World } from './world'

let world: World
let browser: Browser

beforeAll(async () => {
  world = await World.start()
  browser = await open()
})

afterAll(async () => {
  await browser.close()
  await world.stop()
})

describe('a newcomer', () => {
  it('sets BackupX up, backs a folder up and restores it', async () => {
    const source = world.tree('source', { 'notes.txt': 'what I would miss', 'deep/er/picture.txt': 'a picture' })
    const visitor = await Visitor.come(browser, world)
    const { page } = visitor
    await visitor.go('/')
    await visitor.heading('Welcome to BackupX').waitFor()
    await page.getByLabel('One-time code').fill(world.code())
    await page.getByLabel('Username').fill('admin')
    await page.getByLabel('Password').fill(PASSWORD)
    await visitor.button('Create the administrator').click()

    await visitor.heading('First steps').waitFor()
    await page.getByLabel('I have the recovery kit in a safe place').check()
    await visitor.button('Go on').click()

    await page.getByLabel('Folder on the master’s host').fill(world.path('storage'))
    await visitor.button('Add and test').click()
    await page.getByText('“local” is ready.').waitFor()

    await page.getByLabel('Folder on the master’s host').fill(source)
    await visitor.button('Create the task and run it now').click()

    // The run is followed to its end without a reload.
    await page.locator('.page-head').getByText('Success').waitFor()
    await page.getByText('Complete', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Restore from it' }).click()

    await visitor.heading('Restore').waitFor()
    await page.getByLabel('Folder on that node').fill(world.path('restored'))
    await visitor.button('Show what would change').click()
    await page.getByRole('heading', { name: 'What would change' }).waitFor()
    expect(() => readFileSync(world.path('restored', source, 'notes.txt'))).toThrow()
    await visitor.button('Restore').click()

    await page.locator('.page-head').getByText('Done', { exact: true }).waitFor()
    expect(readFileSync(world.path('restored', source, 'notes.txt'), 'utf8')).toBe('what I would miss')
    expect(readFileSync(world.path('restored', source, 'deep/er/picture.txt'), 'utf8')).toBe('a picture')
    await visitor.leave()
  })

  it('finds the overview calm afterwards', async () => {
    const visitor = await Visitor.come(browser, world)
    await visitor.signIn('/')
    await visitor.page.getByText('All is well').waitFor()
    await visitor.leave()
  })

  it('gets anywhere by keyboard', async () => {
    const visitor = await Visitor.come(browser, world)
    const { page } = visitor
    await visitor.signIn('/')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('storage')
    await page.keyboard.press('Enter')
    await visitor.heading('Storage').waitFor()
    await visitor.leave()
  })
})
