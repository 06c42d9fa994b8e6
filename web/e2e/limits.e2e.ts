// What the console promises to whoever runs it: its size, its policy, any path of a proxy, and a large fleet.
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { open, Visitor } from './browser'
import { World } from './world'

const BUDGET = 250_000

let world: World
let browser: Browser
let proxy: Server

beforeAll(async () => {
  world = await World.start()
  await world.setUp()
  browser = await open()
  const to = new URL(world.url)
  // A proxy that serves the master below a path of its own, as nginx does with a slash at the end of proxy_pass.
  proxy = createServer((asked, answer) => {
    if (!asked.url?.startsWith('/tools/backup/')) {
      answer.writeHead(404).end()
      return
    }
    const passed = request({ host: to.hostname, port: to.port, method: asked.method, path: asked.url.slice('/tools/backup'.length), headers: asked.headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers)
      got.pipe(answer)
    })
    passed.on('error', () => { answer.destroy() })
    answer.on('close', () => { passed.destroy() })
    asked.pipe(passed)
  })
  await new Promise<void>((resolve) => { proxy.listen(0, '127.0.0.1', resolve) })
})

afterAll(async () => {
  await browser.close()
  proxy.closeAllConnections()
  proxy.close()
  await world.stop()
})

describe('the console', () => {
  it('shows its first page with less JavaScript than it may', async () => {
    const visitor = await Visitor.come(browser, world)
    let sent = 0
    const devtools = await visitor.context.newCDPSession(visitor.page)
    await devtools.send('Network.enable')
    const scripts = new Set<string>()
    devtools.on('Network.responseReceived', ({ requestId, type }) => { if (type === 'Script') scripts.add(requestId) })
    devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => { if (scripts.has(requestId)) sent += encodedDataLength })
    await visitor.signIn('/')
    await visitor.heading('Overview').waitFor()
    await visitor.page.waitForLoadState('networkidle').catch(() => undefined)
    expect(sent).toBeGreaterThan(50_000)
    expect(sent).toBeLessThan(BUDGET)
    await visitor.leave()
  })

  it('is under a policy that allows nothing inline and nothing from elsewhere', async () => {
    const policy = (await fetch(world.url)).headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'self'")
    expect(policy).not.toContain('unsafe')
    expect(policy).not.toContain('http')
  })

  it('works below a path', async () => {
    const at = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/tools/backup/`
    const visitor = await Visitor.come(browser, { url: at })
    const { page } = visitor
    await page.goto(`${at}#/storage`)
    await page.locator('input[name=username]').fill('admin')
    await page.locator('input[name=password]').fill('a long enough password')
    await page.locator('button[type=submit]').click()
    await visitor.heading('Storage').waitFor()
    await page.getByRole('link', { name: 'Tasks' }).first().click()
    await visitor.heading('Tasks').waitFor()
    await page.reload()
    await visitor.heading('Tasks').waitFor()
    expect(page.url()).toBe(`${at}#/tasks`)
    await visitor.leave()
  })

  it('says in words that the master is away, and goes on when it is back', async () => {
    const visitor = await Visitor.come(browser, world)
    await visitor.signIn('/')
    await visitor.page.route('**/api/v1/**', (route) => route.abort())
    await visitor.go('/settings?tab=keys')
    await visitor.page.getByText('The master does not answer.').waitFor()
    await visitor.page.getByText('What is shown may be old').waitFor()
    await visitor.page.unroute('**/api/v1/**')
    await visitor.button('Try again').click()
    await visitor.page.getByText('No API key yet').waitFor()
    await visitor.page.getByText('What is shown may be old').waitFor({ state: 'detached' })
    // The broken requests are what was asked for.
    visitor.faults.length = 0
    await visitor.leave()
  })
})

describe('a viewer', () => {
  it('sees, and is offered nothing that the master would refuse', async () => {
    await world.ask('POST', '/users', { username: 'vera', password: 'a password to look with', role: 'viewer' })
    const visitor = await Visitor.come(browser, world)
    const { page } = visitor
    await visitor.signIn('/tasks', 'vera', 'a password to look with')
    await visitor.heading('Tasks').waitFor()
    for (const path of ['/', '/tasks', '/nodes', '/storage']) {
      await visitor.go(path)
      await page.locator('h1').waitFor()
      expect(await page.locator('.button.main').count(), path).toBe(0)
    }
    await visitor.go('/restore')
    await page.getByText('Restoring is not for everybody').waitFor()
    await visitor.go('/settings')
    await visitor.heading('Settings').waitFor()
    expect(await page.getByRole('link', { name: 'Users' }).count()).toBe(0)
    await visitor.leave()
  })
})
