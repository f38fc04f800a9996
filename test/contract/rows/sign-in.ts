import type { Access } from '../../../contract/endpoint.ts'
import type { Answer } from '../../app.ts'
import { OWNER } from '../../site.ts'
import { filled, flag, type Check, type Shape } from '../fits.ts'
import { bareUser } from '../shapes.ts'
import type { SignInSite } from './sign-in-site.ts'

export interface Asked {
  /** In force for this request only. */
  settings?: Record<string, unknown>
  status?: number
  ask: (site: SignInSite) => Promise<Answer>
}

/** A sign-in route of contract.md: who may, each success whole, and each error with its status and literal text. */
export interface SignInRow {
  /** `METHOD /path/:name`. */
  at: string
  access: Access
  answers: readonly (Asked & { gives: Shape })[]
  errors: readonly (Asked & { status: number; says: string })[]
}

export const session = { token: filled, user: bareUser }
const sent = { message: 'Verification code sent' }
const updated = { message: 'Password updated' }
const NEW = 'quite another password'

/** An error of a body. */
export function error(says: string, ask: Asked['ask'], settings?: Record<string, unknown>, status = 400) {
  return { says, status, ask, ...(settings && { settings }) }
}

/** Every form behind a captcha says the same of it. */
function captchaErrors(ask: (site: SignInSite, token?: string) => Promise<Answer>) {
  const on = async (site: SignInSite, settings: Record<string, unknown>, token?: string): Promise<Answer> => {
    const undo = await site.change({ ...site.captcha, ...settings })
    const answer = await ask(site, token)
    await site.change(undo)
    return answer
  }
  return [
    error('hCaptcha is not configured', (site) => ask(site), { password_hcaptcha_enabled: true }),
    error('hCaptcha token is required', (site) => on(site, {})),
    error('hCaptcha verification failed', (site) => on(site, {}, 'wrong')),
    error('verify hCaptcha: the service did not answer; try again in a moment', (site) =>
      on(site, { hcaptcha_verify_url: 'http://127.0.0.1:1/siteverify' }, 'right'),
    ),
  ]
}

export function setupFirst(method: 'GET' | 'POST', path: string, body: object = {}) {
  return error(
    'Initial setup is required',
    ({ fresh }) => fresh.api(method, path, method === 'GET' ? undefined : body, null),
    undefined,
    409,
  )
}

const login = (site: SignInSite, body: object): Promise<Answer> => site.post('/auth/password/login', body)
const register = (site: SignInSite, body: object): Promise<Answer> =>
  site.post('/auth/password/register', { username: 'newcomer', email: 'newcomer@example.test', password: NEW, ...body })
const askCode = (site: SignInSite, body: object): Promise<Answer> => site.post('/auth/password/email-code', body)
async function change(site: SignInSite, body: object, before?: 'without password'): Promise<Answer> {
  const who = await site.someone()
  if (before) await site.withoutPassword(who)
  return site.post('/api/user/password/change', { new_password: NEW, ...body }, who)
}

/** Where a browser is sent, with what it shall keep: as an answer whose body a shape can tell. */
async function arrived(response: Response): Promise<Answer> {
  const body =
    response.status === 302
      ? { location: response.headers.get('location'), cookies: response.headers.getSetCookie().map((line) => line.split('=')[0]) }
      : await response.json()
  return { status: response.status, body, headers: response.headers }
}
const matching =
  (pattern: RegExp): Check =>
  (value) =>
    pattern.test(String(value)) ? undefined : `${JSON.stringify(value)} is not ${String(pattern)}`

const noMail = { smtp_host: '' }
const verified = (sub: string) => ({ sub, email: `${sub}@example.test`, email_verified: true, name: sub })

export const signInRows: readonly SignInRow[] = [
  {
    at: 'POST /auth/password/login',
    access: 'public',
    answers: [
      { ask: (site) => login(site, { identifier: OWNER.username, password: OWNER.password }), gives: session },
      { ask: (site) => login(site, { identifier: OWNER.email.toUpperCase(), password: OWNER.password }), gives: session },
    ],
    errors: [
      setupFirst('POST', '/auth/password/login'),
      error('password login is disabled', (site) => login(site, {}), { password_login_enabled: false }),
      ...captchaErrors((site, captcha_token) => login(site, { identifier: 'x', password: 'x', captcha_token })),
      error('username/email and password are required', (site) => login(site, { identifier: 'x' })),
      error('invalid username/email or password', (site) => login(site, { identifier: OWNER.username, password: 'wrong' })),
      // The contract's text for an account without password would tell that there is one (W21): docs/api.md.
      error('invalid username/email or password', async (site) => {
        const who = await site.someone()
        await site.withoutPassword(who)
        return login(site, { identifier: who.username, password: who.password })
      }),
    ],
  },
  {
    at: 'POST /auth/password/register',
    access: 'public',
    answers: [
      {
        ask: (site) => register(site, {}),
        gives: { ...session, user: { ...bareUser, username: 'newcomer', email_verified: false, balance: '0' } },
      },
      {
        settings: { email_verification_required: true },
        ask: async (site) => {
          const email = 'proven@example.test'
          return register(site, { username: 'proven', email, email_code: await site.codeFrom('/auth/password/email-code', email) })
        },
        gives: { ...session, user: { ...bareUser, username: 'proven', email_verified: true, balance: '0' } },
      },
    ],
    errors: [
      setupFirst('POST', '/auth/password/register'),
      error('password registration is disabled', (site) => register(site, {}), { password_registration_enabled: false }),
      ...captchaErrors((site, captcha_token) => register(site, { captcha_token })),
      error('username is required', (site) => register(site, { username: ' ' })),
      error('username is too short', (site) => register(site, { username: 'ab' })),
      error('valid email is required', (site) => register(site, { email: 'nowhere' })),
      error('password must be at least 8 characters', (site) => register(site, { password: '1234567' })),
      error('invalid or expired email verification code', (site) => register(site, { email_code: '000000' }), {
        email_verification_required: true,
      }),
      error('username already exists', (site) => register(site, { username: OWNER.username })),
      error('email already exists', (site) => register(site, { email: OWNER.email.toUpperCase() })),
    ],
  },
  {
    at: 'POST /auth/password/email-code',
    access: 'public',
    answers: [
      { ask: (site) => askCode(site, { email: 'free@example.test' }), gives: sent },
      // The contract's `email already exists` would tell that there is one (W21): a notice goes to it instead.
      { ask: (site) => askCode(site, { email: OWNER.email }), gives: sent },
    ],
    errors: [
      setupFirst('POST', '/auth/password/email-code'),
      error('password registration is disabled', (site) => askCode(site, {}), { password_registration_enabled: false }),
      ...captchaErrors((site, captcha_token) => askCode(site, { email: 'free@example.test', captcha_token })),
      error('valid email is required', (site) => askCode(site, { email: 'nowhere' })),
      error('SMTP is not configured', (site) => askCode(site, { email: 'free@example.test' }), noMail),
    ],
  },
  {
    at: 'GET /auth/login',
    access: 'public',
    answers: [
      {
        status: 302,
        ask: async (site) => arrived(await site.browser().get('/auth/login?ref=ABC')),
        gives: { location: matching(/\/auth\?.*state=[\w-]{43}/), cookies: matching(/^flai_oidc_state,flai_referral_code$/) },
      },
    ],
    errors: [
      setupFirst('GET', '/auth/login'),
      error('OIDC is disabled', (site) => site.get('/auth/login'), { oidc_enabled: false }, 503),
      error('OIDC is not configured', (site) => site.get('/auth/login'), { oidc_issuer: '' }, 503),
      error(
        'initialize OIDC provider "http://127.0.0.1:1": it did not answer as it should',
        (site) => site.get('/auth/login'),
        { oidc_issuer: 'http://127.0.0.1:1' },
        503,
      ),
    ],
  },
  {
    at: 'GET /auth/callback',
    access: 'public',
    answers: [
      {
        status: 302,
        ask: async (site) => {
          const page = site.browser()
          return arrived(await page.get(await site.authorize((await page.begin()).href, verified('by-provider'))))
        },
        gives: { location: matching(/^\/dashboard#token=[\w.-]+$/), cookies: matching(/flai_oidc_state/) },
      },
    ],
    errors: [
      setupFirst('GET', '/auth/callback'),
      error('Invalid OIDC state', (site) => site.get('/auth/callback?code=x&state=made-up')),
      error('Missing authorization code', async (site) => {
        const page = site.browser()
        const state = (await page.begin()).searchParams.get('state') ?? ''
        return arrived(await page.get(`/auth/callback?state=${state}`))
      }),
      error(
        'OIDC account is already bound to another user',
        async (site) => {
          const first = site.browser()
          await first.get(await site.authorize((await first.begin()).href, verified('taken')))
          return arrived(await bound(site, 'taken'))
        },
        undefined,
        500,
      ),
      error('OIDC bind request not found', async (site) => arrived(await bound(site, 'late', 'signed out')), undefined, 500),
    ],
  },
  {
    at: 'GET /api/user/password/method',
    access: 'user',
    answers: [
      { ask: method, gives: { method: 'email_code', email: filled, password_set: flag } },
      { ask: method, settings: noMail, gives: { method: 'current_password', email: filled, password_set: true } },
    ],
    errors: [],
  },
  {
    at: 'POST /api/user/password/email-code',
    access: 'user',
    answers: [{ ask: ownCode, gives: sent }],
    errors: [
      error('SMTP is not configured', ownCode, noMail),
      error('valid email is required', async (site) => {
        const who = await site.someone()
        await site.app.deps.db.query
          .updateTable('users')
          .set({ email: `nowhere-${who.id}` })
          .where('id', '=', who.id)
          .execute()
        return site.post('/api/user/password/email-code', undefined, who)
      }),
    ],
  },
  {
    at: 'POST /api/user/password/change',
    access: 'user',
    answers: [
      { settings: noMail, ask: changed, gives: updated },
      {
        ask: async (site) => {
          const who = await site.someone()
          await site.withoutPassword(who)
          const email_code = await site.codeFrom('/api/user/password/email-code', `${who.username}@example.test`, who)
          return site.post('/api/user/password/change', { new_password: NEW, email_code }, who)
        },
        gives: updated,
      },
    ],
    errors: [
      error('new password must be at least 8 characters', (site) => change(site, { new_password: '1234567' })),
      error('invalid or expired email verification code', (site) => change(site, { email_code: '000000' })),
      error('password login is not enabled for this account', (site) => change(site, {}, 'without password'), noMail),
      error('current password is required', (site) => change(site, {}), noMail),
      error('current password is incorrect', (site) => change(site, { current_password: 'wrong' }), noMail),
    ],
  },
  {
    at: 'POST /api/user/oidc/bind-url',
    access: 'user',
    answers: [{ ask: bindUrl, gives: { auth_url: matching(/\/auth\?.*state=[\w-]{43}/) } }],
    errors: [error('OIDC is disabled', bindUrl, { oidc_enabled: false }), error('OIDC is not configured', bindUrl, { oidc_client_id: '' })],
  },
]

async function method(site: SignInSite): Promise<Answer> {
  return site.get('/api/user/password/method', await site.someone())
}

async function ownCode(site: SignInSite): Promise<Answer> {
  return site.post('/api/user/password/email-code', undefined, await site.someone())
}

async function changed(site: SignInSite): Promise<Answer> {
  const who = await site.someone()
  return site.post('/api/user/password/change', { new_password: NEW, current_password: who.password }, who)
}

async function bindUrl(site: SignInSite): Promise<Answer> {
  return site.post('/api/user/oidc/bind-url', undefined, await site.someone())
}

/** Somebody connects his account to a subject; or signs out before the provider sends him back. */
async function bound(site: SignInSite, sub: string, meanwhile?: 'signed out'): Promise<Response> {
  const who = await site.someone()
  const page = site.browser()
  const headers = { authorization: `Bearer ${who.token}` }
  const { auth_url: url } = (await (await page.send('/api/user/oidc/bind-url', { method: 'POST', headers })).json()) as { auth_url: string }
  if (meanwhile) await site.post('/auth/logout', undefined, who)
  return page.get(await site.authorize(url, verified(sub)))
}
