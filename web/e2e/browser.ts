// A browser that notes what must not happen: errors in the console, requests that leave the origin, broken policies.
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core'
import { join } from 'node:path'
import { expect, onTestFailed } from 'vitest'
import { PASSWORD } from './world'

const DESKTOP = { width: 1360, height: 850 }
export const PHONE = { width: 390, height: 844 }
const LIMIT_MS = 20_000

export async function open(): Promise<Browser> {
  return await chromium.launch({ executablePath: process.env.BACKUPX_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage', '--font-render-hinting=none'] })
}

export interface Looks {
  language?: 'en' | 'zh-CN'
  theme?: 'light' | 'dark'
  phone?: boolean
}

export class Visitor {
  readonly faults: string[] = []

  private constructor(
    readonly page: Page,
    readonly context: BrowserContext,
    private readonly origin: string,
  ) {}

  static async come(browser: Browser, world: { url: string }, { language = 'en', theme = 'light', phone = false }: Looks = {}): Promise<Visitor> {
    const context = await browser.newContext({
      viewport: phone ? PHONE : DESKTOP,
      locale: language,
      colorScheme: theme,
      timezoneId: 'Europe/Berlin',
      reducedMotion: 'reduce',
      ...(phone && { isMobile: true, hasTouch: true, deviceScaleFactor: 2 }),
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    await context.addInitScript(([name, color]) => {
      localStorage.setItem('backupx.language', name ?? 'en')
      localStorage.setItem('backupx.theme', color ?? 'light')
    }, [language, theme])
    const page = await context.newPage()
    page.setDefaultTimeout(LIMIT_MS)
    const visitor = new Visitor(page, context, new URL(world.url).origin)
    visitor.watch()
    const kept = process.env.BACKUPX_FAILURES
    if (kept) onTestFailed(async ({ task }) => { await page.screenshot({ path: join(kept, `${task.name.replaceAll(/\W+/g, '-')}.png`), fullPage: true }).catch(() => undefined) })
    return visitor
  }

  private watch(): void {
    this.page.on('console', (message) => {
      // A refusal is an answer, and browsers log each of them; pages say it in words.
      if (message.type() === 'error' && !/the server responded with a status of (401|404|409|412|422|503)/.test(message.text())) this.faults.push(`console: ${message.text()}`)
    })
    this.page.on('pageerror', (error) => { this.faults.push(`error: ${error.message}`) })
    this.page.on('request', (request) => {
      const url = new URL(request.url())
      if (url.protocol !== 'data:' && url.protocol !== 'blob:' && url.origin !== this.origin) this.faults.push(`request to ${url.origin}`)
    })
  }

  async go(path: string): Promise<void> {
    await this.page.goto(`${this.origin}/#${path}`)
  }

  /** Signs in by the form; the page that was asked for is there afterwards. */
  async signIn(path = '/', username = 'admin', password = PASSWORD): Promise<void> {
    await this.go(path)
    await this.page.locator('input[name=username]').fill(username)
    await this.page.locator('input[name=password]').fill(password)
    await this.page.locator('button[type=submit]').click()
    await this.page.locator('.shell').waitFor()
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: typeof name === 'string' })
  }

  heading(name: string | RegExp): Locator {
    return this.page.getByRole('heading', { name, level: 1 })
  }

  async leave(): Promise<void> {
    await this.context.close()
    expect(this.faults).toEqual([])
  }
}
