import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { setUpSite, type Site } from '../site.ts'
import { startBrowser, startServer, type RunningServer } from './console.ts'

/** A browser on a busy two-core machine. */
const JOURNEY_MS = 60_000

let server: RunningServer
let browser: Browser
let site: Site
beforeAll(async () => {
  server = await startServer()
  site = await setUpSite(server.url.replace('127.0.0.1', 'localhost'))
  await site.api('PUT', '/api/settings', { passkey_enabled: true, base_url: site.base })
  browser = await startBrowser()
}, JOURNEY_MS)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

interface Answer {
  status: number
  body: { token?: string; code?: string; id?: number }
}

/** What a client does: options, the browser's own WebAuthn, the answer sent back. */
function ceremony(page: Page, kind: 'create' | 'get', token: string, identifier?: string): Promise<Answer> {
  return page.evaluate(
    async ([kind, token, identifier]) => {
      const base = kind === 'create' ? '/api/user/passkeys/register' : '/auth/passkey/login'
      const post = async (path: string, body: unknown) => {
        const headers = { 'content-type': 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) }
        const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
        return { status: response.status, body: await response.json() }
      }
      const { publicKey } = (await post(`${base}/options`, identifier === '' ? {} : { identifier })).body
      if (kind === 'create') {
        const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
        return post(base, { name: 'virtual', credential: (made as PublicKeyCredential).toJSON() })
      }
      const signed = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) })
      return post(base, (signed as PublicKeyCredential).toJSON())
    },
    [kind, token, identifier ?? ''] as const,
  )
}

test(
  'a browser’s own passkeys register, sign in by name and without, and are refused unverified and deleted',
  async () => {
    // The page is no page of the console, and its policy lets nothing out.
    const page = await browser.newPage({ bypassCSP: true })
    await page.goto(`${site.base}/health`)
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
    })
    const made = await ceremony(page, 'create', site.token)
    expect(made.status).toBe(200)
    for (const identifier of ['owner', undefined]) {
      const { status, body } = await ceremony(page, 'get', '', identifier)
      expect([status, typeof body.token]).toEqual([200, 'string'])
    }
    await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
    expect(
      await ceremony(page, 'get', '').then(
        ({ status }) => status,
        () => 'refused by the browser',
      ),
    ).not.toBe(200)
    await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
    await site.api('DELETE', `/api/user/passkeys/${made.body.id}`)
    expect((await ceremony(page, 'get', '')).body.code).toBe('passkey_unknown')
  },
  JOURNEY_MS,
)
