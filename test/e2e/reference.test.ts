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
  await browser.close()
  await server.stop()
})

for (const [language, find, send, answer] of [
  ['en', 'Search operations', 'Send', 'Answer'],
  ['zh-CN', '搜索接口', '发送', '返回'],
] as const)
  test(`the API reference is found, read and tried with the keyboard alone: ${language}`, async () => {
    const context = await browser.newContext({ locale: language, viewport: { width: 1280, height: 900 } })
    const page = await context.newPage()
    const faults = await watch(page, server.url)
    await page.addInitScript((token) => localStorage.setItem('token', token), site.token)
    await page.goto(`${server.url}/docs/api`)
    await page.getByRole('article', { name: 'POST /v1/chat/completions' }).waitFor()
    await page.keyboard.press('/')
    expect(await page.getByLabel(find).evaluate((field) => field === document.activeElement)).toBe(true)
    await page.keyboard.type('get api groups')
    // The list narrows a moment after the key; until then its first link is another one.
    await page.locator('nav section:first-child li:first-child a[href="/docs/api?op=GET_api_groups"]').waitFor()
    expect(await page.getByRole('link', { name: '/api/groups' }).count()).toBe(1)
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByRole('article', { name: 'GET /api/groups' }).waitFor()
    expect(new URL(page.url()).search).toBe('?op=GET_api_groups')
    await page.getByLabel('page_size').fill('1')
    expect(await page.getByRole('tabpanel', { name: 'curl' }).innerText()).toContain(`'${server.url}/api/groups?page_size=1'`)
    await page.getByRole('button', { name: send }).focus()
    await page.keyboard.press('Enter')
    const text = page.locator(`pre[aria-label="${answer}"]`)
    await text.waitFor()
    await page.waitForFunction((label) => document.querySelector(`pre[aria-label="${label}"]`)?.textContent.includes('"total": 1'), answer)
    expect(faults).toEqual({ console: [], csp: [], failed: [], foreign: [] })
    await context.close()
  }, 60_000)

test('what an operation refuses is shown, and the page goes on', async () => {
  const context = await browser.newContext({ locale: 'en', viewport: { width: 390, height: 800 }, colorScheme: 'dark' })
  const page = await context.newPage()
  const faults = await watch(page, server.url)
  await page.goto(`${server.url}/docs/api?op=GET_api_groups`)
  await page.getByRole('button', { name: 'Send' }).click()
  await page.waitForFunction(() => document.querySelector('pre[aria-label="Answer"]')?.textContent.includes('credential_missing'))
  await page.getByRole('link', { name: 'All operations' }).click()
  await page.getByLabel('Search operations').fill('nothing of this name')
  await page.getByText('0 operations').waitFor()
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0)
  expect([faults.csp, faults.foreign]).toEqual([[], []])
  await context.close()
}, 60_000)
