// How long a page takes from nothing to its first row, in Chromium: `node pages.mjs URL PASSWORD ROUNDS`. Prints JSON.
// The files are those of web/dist, whatever console the binary was built with.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const { chromium } = createRequire(new URL('../../web/package.json', import.meta.url))('playwright-core')
const [url, password, rounds] = process.argv.slice(2)

const PAGES = [
  ['Overview', '/', '.strip a'],
  ['Tasks', '/tasks', '.table tbody tr'],
  ['Runs', '/records', '.table tbody tr'],
  ['Nodes', '/nodes', '.table tbody tr'],
  ['Storage', '/storage', '.target-size'],
]

const DIST = fileURLToPath(new URL('../../web/dist/', import.meta.url))

/** A visitor who is signed in and has nothing in the cache. */
async function visitor() {
  const context = await browser.newContext({ viewport: { width: 1360, height: 850 } })
  await context.request.post(`${url}/api/v1/sessions`, { data: { username: 'admin', password } })
  await context.route((address) => !address.pathname.startsWith('/api/'), (route) => {
    const path = new URL(route.request().url()).pathname.slice(1)
    return route.fulfill({ path: DIST + (path === '' ? 'index.html' : path) })
  })
  return context
}

const browser = await chromium.launch({ executablePath: process.env.BACKUPX_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] })
const figures = []
for (const [name, path, ready] of PAGES) {
  const times = []
  for (let round = 0; round < Number(rounds); round += 1) {
    const context = await visitor()
    const page = await context.newPage()
    const begin = performance.now()
    await page.goto(`${url}/#${path}`)
    await page.locator(ready).first().waitFor()
    times.push(performance.now() - begin)
    await context.close()
  }
  times.sort((a, b) => a - b)
  figures.push({ name, median: times[Math.floor(times.length / 2)], worst: times.at(-1) })
}

// Frames while the list of tasks is scrolled from end to end, all of it shown.
const page = await (await visitor()).newPage()
await page.goto(`${url}/#/nodes`)
await page.locator('.table tbody tr').first().waitFor()
for (let more = 0; more < 5; more += 1) await page.getByRole('button', { name: 'Show more' }).click()
const frames = await page.evaluate(async () => {
  const gaps = []
  let last = performance.now()
  for (let step = 0; step < 120; step += 1) {
    scrollBy(0, 200)
    const now = await new Promise((resolve) => { requestAnimationFrame(resolve) })
    gaps.push(now - last)
    last = now
  }
  return gaps.sort((a, b) => a - b)
})
const rows = await page.locator('.table tbody tr').count()
await browser.close()
console.log(JSON.stringify({ pages: figures, scroll: { rows, median: frames[60], p95: frames[114] } }))
