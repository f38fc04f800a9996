import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { realProvider, type RealProvider } from '../oidc/real-provider.ts'
import { OWNER } from '../site.ts'
import { smtpSink, type SmtpSink } from '../smtp.ts'
import { startBrowser, startServer, watch, type Faults, type RunningServer } from './console.ts'

/** A browser on a busy two-core machine. */
const JOURNEY_MS = 60_000
/** The queue is looked at every second. */
const MAIL_MS = 10_000
const PASSWORD = 'a long enough password'
const NONE: Faults = { console: [], csp: [], failed: [], foreign: [] }

let server: RunningServer
let browser: Browser
let sink: SmtpSink
let provider: RealProvider
let owner: string

const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const answer = await fetch(server.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...(owner === undefined ? {} : { authorization: `Bearer ${owner}` }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

beforeAll(async () => {
  server = await startServer()
  const callback = `${server.url}/auth/callback`
  sink = await smtpSink()
  provider = await realProvider(callback)
  owner = ((await call('POST', '/api/setup', OWNER)) as { token: string }).token
  await call('PUT', '/api/settings', {
    ...provider.settings(callback),
    ...sink.settings,
    email_verification_required: true,
    referral_enabled: true,
  })
  browser = await startBrowser()
}, JOURNEY_MS)

afterAll(async () => {
  await browser?.close()
  await server?.stop()
  await sink?.close()
  await provider?.close()
})

async function open(path: string, options: BrowserContextOptions = {}): Promise<{ page: Page; faults: Faults; close(): Promise<void> }> {
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  const faults = await watch(page, server.url)
  await page.goto(server.url + path)
  return { page, faults, close: () => context.close() }
}

async function mailedCode(email: string, earlier?: string): Promise<string> {
  const until = performance.now() + MAIL_MS
  while (performance.now() < until) {
    const code = sink.codeFor(email)
    if (code !== undefined && code !== earlier) return code
    await Bun.sleep(50)
  }
  throw new Error(`no mail to ${email}`)
}
const token = (page: Page): Promise<string | null> => page.evaluate(() => localStorage.getItem('token'))

test(
  'J02: a visitor registers with a mailed code and an invitation, and sets a forgotten password anew',
  async () => {
    const { referral_code: invitation } = (await call('GET', '/api/user/me')) as { referral_code: string }
    const { page, faults, close } = await open(`/?ref=${invitation}`)
    await page.goto(`${server.url}/login`)
    await page.getByRole('link', { name: 'Register' }).click()
    const form = page.locator('form')
    // Exactly: until the page has come, the form is that of signing in, with "User name or e-mail".
    await form.getByLabel('User name', { exact: true }).fill('ada')
    await form.getByLabel('E-mail').fill('ada@example.test')
    await form.getByRole('button', { name: 'Send code' }).click()
    await form.getByRole('button', { name: /Send again in \d+ s/ }).waitFor()
    const first = await mailedCode('ada@example.test')
    await form.getByLabel('Code from the mail').fill(first)
    await form.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByText(`Invited with the code ${invitation}`).waitFor()
    await form.getByRole('button', { name: 'Create account' }).click()
    // What the form says against it is worth more than a time-out.
    const refused = page.getByRole('alert').first()
    const arrived = page.waitForURL('**/dashboard', { waitUntil: 'commit' })
    await Promise.race([arrived, refused.waitFor()]).catch(() => undefined)
    if (!page.url().endsWith('/dashboard')) throw new Error(`${page.url()}: ${await page.locator('body').innerText()}`)
    const users = (await call('GET', '/api/users')) as { username: string; referrer?: object; email_verified: boolean }[]
    expect(users.find(({ username }) => username === 'ada')).toMatchObject({ email_verified: true, referrer: { username: 'o***r' } })
    expect(faults).toEqual(NONE)

    // The dashboard is left first: without the session what it asks for would be refused.
    await page.goto(`${server.url}/reset`)
    await page.evaluate(() => localStorage.removeItem('token'))
    await page.goto(`${server.url}/login`)
    await page.getByRole('link', { name: 'Forgot the password?' }).click()
    await page.getByLabel('E-mail').fill('ada@example.test')
    await page.getByRole('button', { name: 'Send code' }).click()
    await page.getByLabel('Code from the mail').fill(await mailedCode('ada@example.test', first))
    await page.getByLabel('New password').fill('another long password')
    await page.getByRole('button', { name: 'Set password' }).click()
    await page.waitForURL('**/login')
    await page.getByLabel('User name or e-mail').fill('ada')
    await page.getByLabel('Password', { exact: true }).fill('another long password')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.waitForURL('**/dashboard')
    expect(faults).toEqual(NONE)
    await close()
  },
  JOURNEY_MS,
)

test(
  'J04: sign-in at the identity provider; a token from elsewhere is ignored',
  async () => {
    provider.account = { sub: 'grace', email: 'grace@example.test', email_verified: true, name: 'Grace' }
    const { page, close } = await open('/login')
    await page.getByRole('button', { name: 'Continue with single sign-on' }).click()
    await page.waitForURL('**/dashboard')
    const own = await token(page)
    expect(own).toMatch(/^eyJ/)
    expect(page.url()).toBe(`${server.url}/dashboard`)
    // Pushed onto somebody who is signed in, and onto somebody who is not.
    await page.goto(`${server.url}/dashboard#token=${owner}`)
    await page.reload()
    expect(await token(page)).toBe(own)
    await close()
    const victim = await open(`/dashboard#token=${owner}`)
    await victim.page.waitForURL('**/login?error=oidc_state')
    expect(await token(victim.page)).toBeNull()
    await victim.page.getByText('This sign-in has run out or began in another browser').waitFor()
    await victim.close()
  },
  JOURNEY_MS,
)

test(
  'the pages are whole in Chinese, in the dark and on a phone',
  async () => {
    for (const path of ['/login', '/register', '/reset']) {
      const { page, faults, close } = await open(path, { locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 390, height: 800 } })
      await page.getByRole('heading', { level: 1 }).waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
      expect(await page.locator('main').textContent()).toMatch(/[\u4e00-\u9fff]/)
      expect(faults).toEqual(NONE)
      await close()
    }
  },
  JOURNEY_MS,
)
