import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { startBrowser, startServer, watch, type Faults, type RunningServer } from './console.ts'
import { startFakeUpstream, type FakeUpstream } from './fake-upstream.ts'

/** J01 of console.md: the most a person has to do from an empty server to the first answer. */
const MAX_INTERACTIONS = 14
/** A browser on a busy two-core machine. */
const JOURNEY_MS = 60_000
const PHONE_WIDTH = 390
const PASSWORD = 'correct horse battery'
/** As Google gives it out; its lines are a part of it. */
const KEY_FILE = JSON.stringify({ type: 'service_account', client_email: 'robot@p.iam.gserviceaccount.com', private_key: 'x' }, null, 2)
const ANSWER = 'A tollgate lets traffic through, counts it exactly, and gives every passage a receipt.'

let server: RunningServer
let browser: Browser
let upstream: FakeUpstream
/** The owner's session: signing in again and again would meet the limit of tries. */
let session: NonNullable<BrowserContextOptions['storageState']>

beforeAll(async () => {
  upstream = startFakeUpstream(ANSWER)
  server = await startServer()
  browser = await startBrowser()
}, JOURNEY_MS)

afterAll(async () => {
  await browser?.close()
  await server?.stop()
  upstream?.stop()
})

interface Opened {
  page: Page
  faults(): Faults
  close(): Promise<void>
}

async function open(path: string, options: BrowserContextOptions = {}, allowed: (fault: string) => boolean = () => false): Promise<Opened> {
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  const seen = await watch(page, server.url)
  await page.goto(server.url + path)
  const faults = () => ({ ...seen, failed: seen.failed.filter((fault) => !allowed(fault)) })
  return { page, faults, close: () => context.close() }
}

const NONE: Faults = { console: [], csp: [], failed: [], foreign: [] }

test(
  'an owner gets from an empty server to the first streamed answer and its exact cost in 14 interactions',
  async () => {
    const { page, faults, close } = await open('/')
    await page.waitForURL('**/setup')
    let interactions = 0
    const fill = async (target: Locator, text: string) => {
      interactions += 1
      await target.fill(text)
    }
    const press = async (target: Locator) => {
      interactions += 1
      await target.click()
    }

    await fill(page.getByLabel('User name'), 'ada')
    await fill(page.getByLabel('E-mail'), 'ada@example.com')
    await fill(page.getByLabel('Password', { exact: true }), PASSWORD)
    await press(page.getByRole('button', { name: 'Create the site' }))

    await press(page.getByText('Something else'))
    await fill(page.getByLabel('Address'), upstream.baseUrl)
    // The clipboard needs a permission that a plain-http page lacks: the paste is given as its event.
    interactions += 1
    await page.getByLabel(/^Provider key/).evaluate((field, text) => {
      const clipboardData = new DataTransfer()
      clipboardData.setData('text', text)
      field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
    }, upstream.key)

    // The upstream is on this machine: blocked until the owner allows exactly this address.
    await press(page.getByRole('button', { name: `Allow ${new URL(upstream.baseUrl).host}` }))
    const sell = page.getByRole('button', { name: /^Sell \d/ })
    await sell.waitFor()
    await page.getByRole('checkbox', { name: 'fake-large' }).uncheck()
    interactions += 1
    await fill(page.getByLabel('Input price of fake-mini', { exact: true }), '2.5')
    await fill(page.getByLabel('Output price of fake-mini', { exact: true }), '10')
    await press(sell)

    await press(page.getByRole('button', { name: 'Credit, make a key and call' }))
    const answer = page.getByTestId('answer')
    await page.waitForFunction(() => (document.querySelector('[data-testid=answer]')?.textContent ?? '') !== '')
    // It grows on the page: this is a stream, not a text that appears at the end.
    expect((await answer.textContent())?.length).toBeLessThan(ANSWER.length)
    await page.getByTestId('charged').waitFor()
    expect(await answer.textContent()).toBe(ANSWER)
    // 12 x 2.5 / 1e6 + 9 x 10 / 1e6
    expect(await page.getByTestId('charged').textContent()).toBe('$0.00012')

    await press(page.getByRole('link', { name: 'Open the console' }))
    await page.getByRole('heading', { name: 'Hello, ada' }).waitFor()
    expect(interactions).toBeLessThanOrEqual(MAX_INTERACTIONS)
    expect(faults()).toEqual(NONE)
    session = await page.context().storageState()
    await close()
  },
  JOURNEY_MS,
)

test(
  'a set-up server sends /setup to the sign-in, a wrong password is said in place, and the receipt equals the charge',
  async () => {
    const { page, faults, close } = await open(
      '/setup',
      {},
      (fault) => fault.startsWith('400 POST') && fault.endsWith('/auth/password/login'),
    )
    await page.waitForURL('**/login')
    await page.getByLabel('User name or e-mail').fill('ada')
    await page.getByLabel('Password', { exact: true }).fill('wrong')
    await page.keyboard.press('Enter')
    await page.getByText('The name or the password is wrong.').waitFor()
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Hello, ada' }).waitFor()
    await page.getByRole('link', { name: 'fake-mini' }).first().click()
    await page.getByRole('heading', { name: 'Receipt', level: 1 }).waitFor()
    expect(await page.getByTestId('charged').textContent()).toBe('$0.00012')
    const { console: said, ...rest } = faults()
    expect(rest).toEqual({ csp: [], failed: [], foreign: [] })
    // The browser itself reports the refused sign-in.
    expect(said.filter((text) => !text.includes('400'))).toEqual([])
    await close()
  },
  JOURNEY_MS,
)

test(
  'a wrong provider key is named with what to do, and mending it continues the same channel',
  async () => {
    const { page, faults, close } = await open('/dashboard/start', { storageState: session })
    await page.getByText('Something else').click()
    await page.getByLabel('Address').fill(upstream.baseUrl)
    await page.getByLabel('Name of the channel').fill('Second')
    await page.getByLabel(/^Provider key/).fill('up-wrong')
    await page.getByRole('button', { name: 'Connect and test' }).click()
    await page.getByText('Copy the key again, and check that it belongs to this provider and is active.').waitFor()
    expect(await page.getByRole('button', { name: /^Sell \d/ }).count()).toBe(0)
    await page.getByRole('button', { name: 'Change key or address' }).click()
    await page.getByLabel(/^Provider key/).fill(upstream.key)
    await page.getByRole('button', { name: 'Connect and test' }).click()
    await page.getByRole('button', { name: /^Sell \d/ }).waitFor()
    const channels = await page.evaluate(async () => {
      const answer = await fetch('/api/channels', { headers: { authorization: `Bearer ${localStorage.getItem('token')}` } })
      return ((await answer.json()) as { name: string }[]).filter((channel) => channel.name === 'Second').length
    })
    expect(channels).toBe(1)
    expect(faults()).toEqual(NONE)
    await close()
  },
  JOURNEY_MS,
)

test(
  'keys in lines, and a key file of many lines, reach the channel as they were pasted; an address with a blank says what is missing',
  async () => {
    const { page, faults, close } = await open('/dashboard/start', { storageState: session })
    await page.getByText('Something else').click()
    await page.getByLabel('Provider or protocol').selectOption({ label: 'Google Vertex AI (Gemini)' })
    const key = page.getByLabel(/^Provider key/)
    await key.evaluate((field, text) => {
      const clipboardData = new DataTransfer()
      clipboardData.setData('text', text)
      field.focus()
      // With an address still to be filled in, the browser pastes by itself: a made event does not do that.
      if (field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })))
        document.execCommand('insertText', false, text)
    }, KEY_FILE)
    expect(await key.inputValue()).toBe(KEY_FILE)
    await page.getByRole('button', { name: 'Connect and test' }).click()
    await page.getByText('Put your own value in place of {region}').waitFor()

    // An address of one's own stands for Google: it is the one that may be reached here.
    const sent = () => page.waitForRequest((request) => request.method() !== 'GET' && /\/api\/channels(\/\d+)?$/.test(request.url()))
    const made = sent()
    await page.getByLabel('Address').fill(upstream.baseUrl)
    await page.getByRole('button', { name: 'Connect and test' }).click()
    expect((await made).postDataJSON()).toMatchObject({ type: 'vertex', api_key: KEY_FILE, name: 'Google Vertex AI (Gemini)' })

    await page.getByRole('button', { name: 'Change key or address' }).click()
    await page.getByText('OpenRouter').click()
    await page.getByLabel('Address').fill(upstream.baseUrl)
    await key.fill(upstream.key)
    await key.press('Shift+Enter')
    await key.pressSequentially('second')
    const mended = sent()
    await page.getByRole('button', { name: 'Connect and test' }).click()
    expect((await mended).postDataJSON()).toMatchObject({ type: 'openrouter', api_key: `${upstream.key}\nsecond` })
    await page.getByRole('button', { name: /^Sell \d/ }).waitFor()

    expect(faults()).toEqual(NONE)
    await close()
  },
  JOURNEY_MS,
)

test(
  'no page scrolls sideways on a phone, in either language',
  async () => {
    for (const locale of ['en-US', 'zh-CN']) {
      const { page, faults, close } = await open('/login', {
        locale,
        storageState: session,
        viewport: { width: PHONE_WIDTH, height: 844 },
        isMobile: true,
        hasTouch: true,
      })
      for (const path of ['/', '/login', '/dashboard', '/dashboard/logs', '/dashboard/api-keys', '/dashboard/start', '/nowhere']) {
        await page.goto(server.url + path)
        await page.locator('h1').waitFor()
        await page.waitForLoadState('networkidle')
        // Not against innerWidth: a phone zooms out to fit what is too wide, and that grows with it.
        expect([locale, path, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([locale, path, PHONE_WIDTH])
        expect(await page.evaluate(() => document.documentElement.lang)).toBe(locale === 'zh-CN' ? 'zh-CN' : 'en')
      }
      expect(faults()).toEqual(NONE)
      await close()
    }
  },
  JOURNEY_MS,
)

test(
  'a session that ended is renewed in place, and what was typed stays',
  async () => {
    const { page, close } = await open('/dashboard/api-keys', { storageState: session })
    await page.getByRole('button', { name: 'Create key' }).first().click()
    await page.getByLabel('Name', { exact: true }).fill('Website')
    await page.evaluate(() => localStorage.setItem('token', 'ended'))
    await page.getByRole('dialog').getByRole('button', { name: 'Create key' }).click()
    const again = page.getByRole('dialog', { name: 'The session has ended' })
    await again.getByLabel('User name or e-mail').fill('ada')
    await again.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await again.getByRole('button', { name: 'Sign in' }).click()
    await again.waitFor({ state: 'detached' })
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Website')
    await page.getByRole('dialog').getByRole('button', { name: 'Create key' }).click()
    expect(await page.getByTestId('secret').textContent()).toMatch(/^sk-[\w-]{43}$/)
    await close()
  },
  JOURNEY_MS,
)
