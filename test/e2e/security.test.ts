import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Secret, TOTP } from 'otpauth'
import type { Browser, Page } from 'playwright-core'
import { OWNER } from '../site.ts'
import { startBrowser, startServer, watch, type Faults, type RunningServer } from './console.ts'

/** A browser on a busy two-core machine. */
const JOURNEY_MS = 60_000
const NONE: Faults = { console: [], csp: [], failed: [], foreign: [] }

let server: RunningServer
let browser: Browser

beforeAll(async () => {
  server = await startServer()
  const { token } = (await post('/api/setup', OWNER)) as { token: string }
  await post('/api/settings', { passkey_enabled: true }, token, 'PUT')
  browser = await startBrowser()
}, JOURNEY_MS)

afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

async function post(path: string, body: unknown, token?: string, method: 'POST' | 'PUT' = 'POST'): Promise<unknown> {
  const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
  const answer = await fetch(server.url + path, { method, headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

/** Signed in as the owner, on the security page; `localhost` is where browsers have passkeys without TLS. */
async function open(): Promise<{ page: Page; faults: Faults; close(): Promise<void> }> {
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  const origin = server.url.replace('127.0.0.1', 'localhost')
  const faults = await watch(page, origin)
  await page.goto(`${origin}/login?next=/dashboard/settings/security`)
  await withPassword(page)
  await page.getByRole('heading', { name: 'Security' }).waitFor()
  return { page, faults, close: () => context.close() }
}

async function withPassword(page: Page): Promise<void> {
  await page.getByLabel('User name or e-mail').fill(OWNER.username)
  await page.getByLabel('Password', { exact: true }).fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Account' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByLabel('User name or e-mail').waitFor()
}

test(
  'J03: a passkey is added, renamed, signs in without a name, and is deleted',
  async () => {
    const { page, faults, close } = await open()
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('WebAuthn.enable')
    await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
    })
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByText('The passkey is added').waitFor()
    await page.getByRole('button', { name: /^Rename/ }).click()
    await page.getByLabel('Name of the passkey').fill('My laptop')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('My laptop', { exact: true }).waitFor()

    await signOut(page)
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await page.waitForURL(/\/dashboard/)
    await page.getByRole('link', { name: 'Security' }).click()
    await page.getByRole('button', { name: 'Delete My laptop' }).click()
    await page.getByRole('button', { name: 'Delete passkey' }).click()
    await page.getByText('No passkey yet').waitFor()
    expect(faults).toEqual(NONE)
    await close()
  },
  JOURNEY_MS,
)

test(
  'an authenticator app is set up, asked for at the next sign-in, replaced by a recovery code, and switched off',
  async () => {
    const { page, faults, close } = await open()
    await page.getByRole('button', { name: 'Set up' }).click()
    const secret = Secret.fromBase32(await page.getByTestId('totp-secret').innerText())
    await page.getByRole('img', { name: 'QR code with the secret' }).waitFor()
    await page.getByLabel('Code of the app').fill(new TOTP({ secret }).generate())
    await page.getByRole('button', { name: 'Switch on' }).click()
    const list = page.getByTestId('recovery-codes').getByRole('listitem')
    await list.first().waitFor()
    const codes = await list.allInnerTexts()
    expect(codes.length).toBeGreaterThanOrEqual(8)
    await page.getByRole('button', { name: 'I stored it' }).click()
    await page.getByText('recovery codes are left').waitFor()

    await signOut(page)
    await withPassword(page)
    await page.getByLabel('Code').fill('000000')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('This code is not right.').waitFor()
    await page.getByLabel('Code').fill(codes[0] ?? '')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.waitForURL(/\/dashboard/)

    await page.getByRole('link', { name: 'Security' }).click()
    await page.getByText(`${codes.length - 1} recovery codes are left.`).waitFor()
    await page.getByRole('button', { name: 'Switch off' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click()
    await page.getByText('The authenticator app is switched off').waitFor()
    // The answers that ask for the code, and that refuse the wrong one, are what this is about.
    expect(faults.failed.map((line) => line.replace(server.url.replace('127.0.0.1', 'localhost'), ''))).toEqual([
      '403 POST /auth/password/login',
      '400 POST /auth/second-factor',
    ])
    expect([faults.csp, faults.foreign]).toEqual([[], []])
    await close()
  },
  JOURNEY_MS,
)

test(
  'sessions are listed, this one marked, and the others ended; a new password ends all',
  async () => {
    const other = await open()
    const { page, faults, close } = await open()
    await page.getByText('This one', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'End all others' }).click()
    await page.getByText('All other sessions are ended').waitFor()
    await other.page.getByRole('link', { name: 'API keys' }).click()
    await other.page.getByRole('heading', { name: 'The session has ended' }).waitFor()
    await other.close()

    await page.getByLabel('Current password').fill(OWNER.password)
    await page.getByLabel('New password').fill('short')
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByText('At least 8 characters.').waitFor()
    await page.getByLabel('New password').fill(OWNER.password)
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.waitForURL(/\/login/)
    expect(faults).toEqual(NONE)
    await close()
  },
  JOURNEY_MS,
)
