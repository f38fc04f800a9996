// long file: one table, rows for each operation
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createTestApp, type TestApp, type TestUser } from '../../../test/app.ts'
import { Browser } from '../../../test/oidc/browser.ts'
import { realProvider, type RealProvider } from '../../../test/oidc/real-provider.ts'
import { OWNER } from '../../../test/site.ts'
import { smtpSink, type SmtpSink } from '../../../test/smtp.ts'
import { deliverMails } from '../mail/service.ts'

const CALLBACK = 'http://localhost/auth/callback'
const PASSWORD = 'a long enough password'
const USER_KEYS = [
  'avatar_url balance created_at disabled_at email email_verified group_id id is_admin referral_code role updated_at username',
].flatMap((text) => text.split(' '))

let app: TestApp
let fresh: TestApp
let sink: SmtpSink
let provider: RealProvider
let user: TestUser
beforeAll(async () => {
  sink = await smtpSink()
  provider = await realProvider(CALLBACK)
  app = await createTestApp({ settings: { ...provider.settings(CALLBACK), ...sink.settings } })
  fresh = await createTestApp({ setUp: false })
  user = await app.user('table')
})
beforeEach(() => app.clock.advance(61 * 60_000))
afterAll(async () => {
  await Promise.all([app.close(), fresh.close(), provider.close(), sink.close()])
})

interface Row {
  /** What goes in; most rows are about a missing or wrong part. */
  body?: () => object | Promise<object>
  /** A session goes along. */
  signedIn?: true
  /** Before the first setup. */
  fresh?: true
  settings?: Record<string, unknown>
  path?: string
  status: number
  /** The error's text, or the answer; of a list the members that matter. */
  answer: string | object
}

/** The answer is an address. */
const REDIRECT = {}
const session = { token: expect.any(String), user: expect.any(Object) }
const sent = { message: 'Verification code sent' }
const setupFirst: Row = { fresh: true, status: 409, answer: 'Initial setup is required' }
const anonymous: Row = { status: 401, answer: 'Authorization is required' }
/** An hour after signing in, what needs a fresh proof is refused. */
const stale: Row = { signedIn: true, status: 403, answer: 'Confirm that it is you first: sign in again, or confirm at /api/user/reauth' }
const passkeys = { passkey_enabled: true, base_url: 'http://localhost' }
/** What a browser sends, of no passkey there is. */
const credential = (kind: 'login' | 'register'): object => ({
  id: 'AA',
  rawId: 'AA',
  type: 'public-key',
  response: kind === 'login' ? { clientDataJSON: '', authenticatorData: '', signature: '' } : { clientDataJSON: '', attestationObject: '' },
})
const codeFrom = async (path: string, email: string, token: string | null = null): Promise<string> => {
  await app.api('POST', path, { email }, token)
  await deliverMails(app.deps)
  return sink.codeFor(email) ?? ''
}
const form = { username: 'by-table', email: 'by-table@example.test', password: PASSWORD }
const verified = { email_verification_required: true }

/** Every operation of signing in; each new one needs its rows here. */
const table: Record<string, Row[]> = {
  'POST /auth/password/login': [
    setupFirst,
    { settings: { password_login_enabled: false }, status: 400, answer: 'password login is disabled' },
    { settings: { password_hcaptcha_enabled: true }, status: 400, answer: 'hCaptcha is not configured' },
    { status: 400, answer: 'username/email and password are required' },
    { body: () => ({ identifier: 'table', password: 'wrong' }), status: 400, answer: 'invalid username/email or password' },
    { body: () => ({ identifier: 'nobody', password: 'wrong' }), status: 400, answer: 'invalid username/email or password' },
    { body: () => ({ identifier: OWNER.email, password: OWNER.password }), status: 200, answer: session },
  ],
  'POST /auth/password/register': [
    setupFirst,
    { settings: { password_registration_enabled: false }, status: 400, answer: 'password registration is disabled' },
    { settings: { password_hcaptcha_enabled: true }, status: 400, answer: 'hCaptcha is not configured' },
    { status: 400, answer: 'username is required' },
    { body: () => ({ ...form, username: 'ab' }), status: 400, answer: 'username is too short' },
    { body: () => ({ ...form, email: 'x' }), status: 400, answer: 'valid email is required' },
    { body: () => ({ ...form, password: '1234567' }), status: 400, answer: 'password must be at least 8 characters' },
    { body: () => form, settings: verified, status: 400, answer: 'invalid or expired email verification code' },
    { body: () => ({ ...form, username: OWNER.username }), status: 400, answer: 'username already exists' },
    { body: () => ({ ...form, email: OWNER.email }), status: 400, answer: 'email already exists' },
    { body: () => form, status: 200, answer: session },
    {
      body: async () => ({
        username: 'proven',
        email: 'proven@example.test',
        password: PASSWORD,
        email_code: await codeFrom('/auth/password/email-code', 'proven@example.test'),
      }),
      settings: verified,
      status: 200,
      answer: { ...session, user: expect.objectContaining({ email_verified: true, balance: '0' }) },
    },
  ],
  'POST /auth/password/email-code': [
    setupFirst,
    { settings: { password_registration_enabled: false }, status: 400, answer: 'password registration is disabled' },
    { settings: { smtp_host: '' }, status: 400, answer: 'SMTP is not configured' },
    { settings: { password_hcaptcha_enabled: true }, status: 400, answer: 'hCaptcha is not configured' },
    { status: 400, answer: 'valid email is required' },
    { body: () => ({ email: 'free@example.test' }), status: 200, answer: sent },
    { body: () => ({ email: OWNER.email }), status: 200, answer: sent },
  ],
  'POST /auth/password/reset-code': [
    setupFirst,
    { settings: { smtp_host: '' }, status: 400, answer: 'SMTP is not configured' },
    { body: () => ({ email: OWNER.email }), status: 200, answer: sent },
    { body: () => ({ email: 'nobody@example.test' }), status: 200, answer: sent },
  ],
  'POST /auth/password/reset': [
    setupFirst,
    { body: () => ({ email: OWNER.email, new_password: 'short' }), status: 400, answer: 'new password must be at least 8 characters' },
    { body: () => ({ email: OWNER.email, new_password: PASSWORD }), status: 400, answer: 'invalid or expired email verification code' },
    {
      body: async () => ({
        email: form.email,
        new_password: PASSWORD,
        email_code: await codeFrom('/auth/password/reset-code', form.email),
      }),
      status: 200,
      answer: { message: 'Password updated' },
    },
  ],
  'GET /auth/login': [
    setupFirst,
    { settings: { oidc_enabled: false }, status: 503, answer: 'OIDC is disabled' },
    { settings: { oidc_issuer: '' }, status: 503, answer: 'OIDC is not configured' },
    { status: 302, answer: REDIRECT },
  ],
  'GET /auth/callback': [
    setupFirst,
    { status: 400, answer: 'Invalid OIDC state' },
    { path: '/auth/callback?code=x&state=made-up', status: 400, answer: 'Invalid OIDC state' },
  ],
  'GET /api/user/password/method': [
    { status: 401, answer: 'Authorization is required' },
    { signedIn: true, status: 200, answer: { method: 'email_code', email: 'table@example.test', password_set: true } },
    {
      signedIn: true,
      settings: { smtp_from: '' },
      status: 200,
      answer: { method: 'current_password', email: 'table@example.test', password_set: true },
    },
  ],
  'POST /api/user/password/email-code': [
    { status: 401, answer: 'Authorization is required' },
    { signedIn: true, settings: { smtp_host: '' }, status: 400, answer: 'SMTP is not configured' },
    { signedIn: true, status: 200, answer: sent },
  ],
  'POST /api/user/password/change': [
    { status: 401, answer: 'Authorization is required' },
    { signedIn: true, status: 400, answer: 'new password must be at least 8 characters' },
    { signedIn: true, body: () => ({ new_password: PASSWORD }), status: 400, answer: 'invalid or expired email verification code' },
    {
      signedIn: true,
      settings: { smtp_host: '' },
      body: () => ({ new_password: PASSWORD }),
      status: 400,
      answer: 'current password is required',
    },
    {
      signedIn: true,
      settings: { smtp_host: '' },
      body: () => ({ new_password: PASSWORD, current_password: 'wrong' }),
      status: 400,
      answer: 'current password is incorrect',
    },
  ],
  'POST /api/user/oidc/bind-url': [
    { status: 401, answer: 'Authorization is required' },
    { signedIn: true, settings: { oidc_enabled: false }, status: 400, answer: 'OIDC is disabled' },
    { signedIn: true, status: 200, answer: { auth_url: expect.stringContaining('/auth?') } },
  ],
  'DELETE /api/user/oidc': [
    { status: 401, answer: 'Authorization is required' },
    { signedIn: true, status: 400, answer: 'This account is not connected to an identity provider' },
  ],
  'POST /auth/passkey/login/options': [
    setupFirst,
    { status: 400, answer: 'passkey authentication is disabled' },
    { settings: passkeys, status: 200, answer: { publicKey: expect.objectContaining({ allowCredentials: [], timeout: 60_000 }) } },
  ],
  'POST /auth/passkey/login': [
    { fresh: true, body: () => credential('login'), status: 409, answer: 'Initial setup is required' },
    {
      body: () => credential('login'),
      status: 400,
      answer: 'passkey authentication is disabled',
    },
    { settings: passkeys, body: () => ({ ...credential('login'), type: 'password' }), status: 400, answer: 'invalid credential type' },
    { settings: passkeys, body: () => credential('login'), status: 400, answer: 'invalid client data' },
  ],
  'GET /api/user/passkeys': [anonymous, { signedIn: true, status: 200, answer: [] }],
  'POST /api/user/passkeys/register/options': [
    anonymous,
    { signedIn: true, status: 400, answer: 'passkey authentication is disabled' },
    {
      signedIn: true,
      settings: passkeys,
      status: 200,
      answer: { publicKey: expect.objectContaining({ excludeCredentials: [], timeout: 60_000, attestation: 'none' }) },
    },
  ],
  'POST /api/user/passkeys/register': [
    anonymous,
    {
      signedIn: true,
      settings: passkeys,
      body: () => ({ credential: credential('register') }),
      status: 400,
      answer: 'invalid client data',
    },
  ],
  'PUT /api/user/passkeys/:id': [
    { path: '/api/user/passkeys/1', status: 401, answer: 'Authorization is required' },
    { path: '/api/user/passkeys/1', signedIn: true, body: () => ({ name: 'x' }), status: 404, answer: 'Passkey not found' },
    { path: '/api/user/passkeys/x', signedIn: true, body: () => ({ name: 'x' }), status: 400, answer: 'Invalid passkey id' },
  ],
  'DELETE /api/user/passkeys/:id': [
    { path: '/api/user/passkeys/1', status: 401, answer: 'Authorization is required' },
    { path: '/api/user/passkeys/1', signedIn: true, status: 404, answer: 'Passkey not found' },
  ],
  'POST /auth/second-factor': [
    { body: () => ({ challenge: 'made-up', code: '000000' }), status: 400, answer: 'This took too long; sign in again' },
  ],
  'GET /api/user/second-factor': [
    anonymous,
    { signedIn: true, status: 200, answer: { totp_enabled: false, totp_enabled_at: null, recovery_codes_left: 0 } },
  ],
  'POST /api/user/second-factor/totp': [anonymous, stale],
  'POST /api/user/second-factor/totp/confirm': [anonymous, { ...stale, body: () => ({ code: '000000' }) }],
  'DELETE /api/user/second-factor/totp': [anonymous, stale],
  'POST /api/user/second-factor/recovery-codes': [anonymous, stale],
  'POST /api/user/reauth/options': [
    anonymous,
    { signedIn: true, status: 200, answer: { methods: ['password'], fresh_until: expect.any(String) } },
  ],
  'POST /api/user/reauth': [
    anonymous,
    { signedIn: true, body: () => ({ password: 'wrong' }), status: 400, answer: 'current password is incorrect' },
    { signedIn: true, body: () => ({ password: PASSWORD }), status: 200, answer: { fresh_until: expect.any(String) } },
  ],
  'GET /api/user/sessions': [
    { status: 401, answer: 'Authorization is required' },
    { signedIn: true, status: 200, answer: [{ id: expect.any(String), current: true }] },
  ],
  'DELETE /api/user/sessions/:id': [
    { path: '/api/user/sessions/others', status: 401, answer: 'Authorization is required' },
    { path: '/api/user/sessions/nobodys', signedIn: true, status: 404, answer: 'Session not found' },
    { path: '/api/user/sessions/others', signedIn: true, status: 200, answer: { message: 'Other sessions ended' } },
  ],
  'POST /auth/logout': [
    { status: 401, answer: 'Authorization is required' },
    { signedIn: true, status: 200, answer: { message: 'Signed out' } },
  ],
}

describe('every operation of signing in', () => {
  test('has its rows', () => {
    const served = app.app.endpoints
      .filter(({ path }) => path.startsWith('/auth/') || /^\/api\/user\/(password|oidc|sessions|passkeys|second-factor|reauth)/.test(path))
      .map(({ method, path }) => `${method} ${path}`)
    expect(new Set(Object.keys(table))).toEqual(new Set(served))
  })

  for (const [operation, rows] of Object.entries(table)) {
    const [method = '', pattern = ''] = operation.split(' ')
    test(`${operation} answers as in the contract`, async () => {
      for (const row of rows) {
        const site = row.fresh ? fresh : app
        app.clock.advance(61_000)
        const body = method === 'GET' ? undefined : await (row.body?.() ?? {})
        const before = await set(row.settings)
        const { status, body: answer } = await site.api<Record<string, unknown>>(
          method,
          row.path ?? pattern,
          body,
          row.signedIn ? user.token : null,
        )
        await set(before)
        const name = JSON.stringify(row)
        expect({ name, status }).toEqual({ name, status: row.status })
        if (row.answer !== REDIRECT) {
          const wanted = Array.isArray(row.answer) ? (row.answer as object[]).map((one) => expect.objectContaining(one)) : row.answer
          const seen: unknown = typeof row.answer === 'string' ? answer['error'] : answer
          expect({ name, seen }).toEqual({ name, seen: wanted })
        }
        const signedIn = answer['user']
        if (signedIn) expect(Object.keys(signedIn).toSorted()).toEqual(USER_KEYS)
      }
    }, 20_000)
  }

  test('a whole sign-in at the provider ends on the dashboard', async () => {
    provider.account = { sub: 'tabled', email: 'tabled@example.test', email_verified: true }
    const page = new Browser(app, 'http://localhost')
    const back = await provider.authorize((await page.begin()).href)
    const answer = await page.get(`${back.pathname}${back.search}`)
    expect([answer.status, answer.headers.get('location')]).toEqual([302, expect.stringMatching(/^\/dashboard#token=[\w.-]+$/)])
  })
})

/** Stores settings; answers what undoes that. */
async function set(settings: Record<string, unknown> | undefined): Promise<Record<string, unknown> | undefined> {
  if (settings === undefined) return undefined
  const now = (await app.api<Record<string, unknown>>('GET', '/api/settings')).body
  await app.api('PUT', '/api/settings', settings)
  return Object.fromEntries(Object.keys(settings).map((key) => [key, now[key] ?? '']))
}
