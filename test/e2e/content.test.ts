import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Browser } from 'playwright-core'
import { setUpSite, type Site } from '../site.ts'
import { startBrowser, startServer, watch, type RunningServer } from './console.ts'

let server: RunningServer
let browser: Browser
let site: Site
beforeAll(async () => {
  ;[server, browser] = await Promise.all([startServer(), startBrowser()])
  site = await setUpSite(server.url)
}, 30_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

async function visit(path: string) {
  const context = await browser.newContext({ locale: 'en', viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  const dialogs: string[] = []
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message())
    void dialog.dismiss()
  })
  const blocked: string[] = []
  page.on('requestfailed', (request) => blocked.push(`${request.url()} ${request.failure()?.errorText}`))
  const faults = await watch(page, server.url)
  await page.addInitScript((token) => localStorage.setItem('token', token), site.token)
  await page.goto(server.url + path)
  return { page, faults, dialogs, blocked, close: () => context.close() }
}

test("the owner's pages are linked and shown; scripts, forms and addresses elsewhere in them do nothing", async () => {
  const canary = 'https://canary.example.test'
  await site.api('PUT', '/api/settings', {
    about_html: `<h2>Who we are</h2><img src="${canary}/a.png"><img src=x onerror=alert(1)><script>alert(2)</script><a href="javascript:alert(3)">go</a><meta http-equiv="refresh" content="0;url=${canary}"><iframe src="${canary}"></iframe>`,
    top_nav_enabled: true,
    top_nav_items: 'Elsewhere|/about\nBad|javascript:alert(4)',
  })
  const { page, faults, dialogs, blocked, close } = await visit('/')
  expect(await page.getByRole('link', { name: 'Bad' }).count()).toBe(0)
  await page.getByRole('contentinfo').getByRole('link', { name: 'About' }).click()
  const frame = page.frameLocator('iframe[title="About"]')
  await frame.getByRole('heading', { name: 'Who we are' }).waitFor()
  // In its sandbox the address is blocked; a click must neither run it nor leave the page.
  await frame.getByRole('link', { name: 'go' }).click()
  await page.getByRole('link', { name: 'Elsewhere' }).waitFor()
  expect([dialogs, new URL(page.url()).pathname]).toEqual([[], '/about'])
  // The browser names what the policy kept from leaving.
  expect(faults.foreign.filter((address) => !blocked.includes(`${address} csp`))).toEqual([])
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('About')
  await close()
}, 60_000)

test('a page that nobody wrote is not there; menu entries that are switched off are hidden, their pages stay', async () => {
  await site.api('PUT', '/api/settings', { sidebar_usage_enabled: false, sidebar_settings_enabled: false })
  const { page, faults, close } = await visit('/dashboard/logs')
  await page.getByRole('heading', { level: 1, name: 'Calls' }).waitFor()
  await page.getByRole('link', { name: 'API keys' }).first().waitFor()
  expect(await page.getByRole('navigation', { name: 'Main' }).getByRole('link').allInnerTexts()).toEqual([
    'Home',
    'API keys',
    'API reference',
    'Connect and sell',
  ])
  await page.goto(`${server.url}/terms`)
  await page.getByText('404').waitFor()
  expect(faults).toEqual({ console: [], csp: [], failed: [], foreign: [] })
  await close()
}, 60_000)

test("the owner's own start page stands in a frame that cannot reach this one", async () => {
  await site.api('PUT', '/api/settings', { home_iframe_url: `${server.url}/login` })
  const { page, close } = await visit('/')
  const frame = page.locator('iframe[title="Start page"]')
  await frame.waitFor()
  expect(await frame.getAttribute('sandbox')).toBe('allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox')
  await page.getByRole('link', { name: 'Console' }).waitFor()
  await close()
}, 60_000)
