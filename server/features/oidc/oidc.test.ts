import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createTestApp, login, type TestApp } from '../../../test/app.ts'
import { Browser, tokenOf } from '../../../test/oidc/browser.ts'
import { realProvider, type RealProvider } from '../../../test/oidc/real-provider.ts'

const BASE = 'http://localhost'
const CALLBACK = `${BASE}/auth/callback`

let app: TestApp
let provider: RealProvider
beforeAll(async () => {
  provider = await realProvider(CALLBACK)
  app = await createTestApp({
    settings: provider.settings(CALLBACK),
    config: { bootstrapAdmins: { emails: ['chief@example.test'], oidcSubs: ['root-subject'] } },
  })
})
beforeEach(async () => {
  app.clock.advance(61_000)
  await app.api('PUT', '/api/settings', provider.settings(CALLBACK))
})
afterAll(async () => {
  await app.close()
  await provider.close()
})

interface Me {
  id: number
  username: string
  email: string
  email_verified: boolean
  oidc_sub?: string
  role: string
  referrer_id?: number
}
const browser = (): Browser => new Browser(app, BASE)
const me = async (token: string | undefined): Promise<Me> => (await app.api<Me>('GET', '/api/user/me', undefined, token ?? 'none')).body
/** Signs in all the way. */
async function through(page = browser(), query = ''): Promise<Response> {
  const back = await provider.authorize((await page.begin(query)).href)
  return page.get(`${back.pathname}${back.search}`)
}
const person = (sub: string, email_verified: unknown = true) => ({
  sub,
  email: `${sub}@example.test`,
  email_verified,
  name: `Name of ${sub}`,
})

describe('sign-in at a real provider', () => {
  test('always sends state, nonce and PKCE, and binds the state to the browser', async () => {
    const page = browser()
    const url = await page.begin()
    const sent = Object.fromEntries(url.searchParams)
    expect(sent).toMatchObject({
      response_type: 'code',
      scope: 'openid profile email',
      code_challenge_method: 'S256',
      redirect_uri: CALLBACK,
    })
    expect(sent['code_challenge']).toHaveLength(43)
    expect(sent['nonce']).toHaveLength(43)
    expect(sent['state']).toHaveLength(43)
    expect(page.cookie('flai_oidc_state')).toBe(sent['state'])
    const second = (await page.begin()).searchParams
    for (const name of ['state', 'nonce', 'code_challenge']) expect(second.get(name)).not.toBe(sent[name] ?? '')
    const raw = await app.fetch('/auth/login')
    expect(raw.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^flai_oidc_state=[\w-]{43}; Max-Age=600; Path=\/auth; HttpOnly; SameSite=Lax$/),
    ])
    await app.api('PUT', '/api/settings', { oidc_redirect_url: 'https://site.test/auth/callback' })
    expect((await app.fetch('/auth/login')).headers.getSetCookie()[0]).toEndWith('; Secure')
  })

  test('makes an account, with the session in the fragment, and finds it again', async () => {
    provider.account = person('newcomer')
    const first = await through()
    expect([first.status, first.headers.get('cache-control')]).toEqual([302, 'no-store'])
    const token = tokenOf(first)
    const user = await me(token)
    expect(user).toMatchObject({
      username: 'Name of newcomer',
      email: 'newcomer@example.test',
      email_verified: true,
      oidc_sub: 'newcomer',
      role: 'user',
    })
    provider.account = { sub: 'newcomer', email: 'moved@example.test', email_verified: true }
    expect(await me(tokenOf(await through()))).toMatchObject({ id: user.id, email: 'newcomer@example.test' })
  })

  test('takes another name when the wanted one is taken, and keeps who invited', async () => {
    const inviter = await app.user('Taken name')
    await app.api('PUT', '/api/settings', { referral_enabled: true })
    const { referral_code: code } = (await app.api<{ referral_code: string }>('GET', '/api/user/me', undefined, inviter.token)).body
    provider.account = { ...person('second-of-name'), name: 'Taken name' }
    expect(await me(tokenOf(await through(browser(), `?ref=${code}`)))).toMatchObject({ username: 'Taken name-2', referrer_id: inviter.id })
    await app.api('PUT', '/api/settings', { referral_enabled: false })
  })

  test('links an account by an address that is verified on both sides', async () => {
    const local = await app.user('both-sides')
    provider.account = person('linker')
    provider.account.email = 'Both-Sides@Example.test'
    expect(await me(tokenOf(await through()))).toMatchObject({ id: local.id, oidc_sub: 'linker' })
  })

  test.each([[false], ['true'], [1], [undefined], [null]])('links and makes nothing when email_verified is %p', async (verified) => {
    const name = `unproven-${String(verified)}`
    await app.user(name)
    const before = await count()
    provider.account = {
      sub: `sub-${name}`,
      email: `${name}@example.test`,
      ...(verified === undefined ? {} : { email_verified: verified }),
    }
    const refused = await through()
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, 'oidc_email_unverified'])
    provider.account = { ...provider.account, email: `fresh-${name}@example.test` }
    expect((await through()).status).toBe(403)
    expect(await count()).toEqual(before)
  })

  test('links no account whose own address is unproven, nor one that is bound to another subject', async () => {
    const squatter = await app.user('squatted')
    await app.deps.db.query.updateTable('users').set({ email_verified: 0 }).where('id', '=', squatter.id).execute()
    provider.account = person('squatted-victim')
    provider.account.email = 'squatted@example.test'
    expect((await through()).status).toBe(403)
    provider.account = person('first-owner')
    const owner = await me(tokenOf(await through()))
    provider.account = { ...person('second-owner'), email: 'first-owner@example.test' }
    const again = await through()
    expect([again.status, ((await again.json()) as { code: string }).code]).toEqual([403, 'oidc_account_exists'])
    const rows = await app.deps.db.query
      .selectFrom('users')
      .select('oidc_sub')
      .where('id', 'in', [squatter.id, owner.id])
      .orderBy('id')
      .execute()
    expect(rows.map(({ oidc_sub: sub }) => sub)).toEqual([null, 'first-owner'])
  })

  test('makes administrators of the subjects and proven addresses that are named, at every sign-in', async () => {
    provider.account = person('root-subject')
    const root = await me(tokenOf(await through()))
    expect(root.role).toBe('admin')
    provider.account = person('chief')
    expect((await me(tokenOf(await through()))).role).toBe('admin')
    await app.deps.db.query.updateTable('users').set({ role: 'user' }).where('id', '=', root.id).execute()
    provider.account = person('root-subject')
    expect((await me(tokenOf(await through()))).role).toBe('admin')
  })

  test('speaks to a provider that wants the secret in the body', async () => {
    const other = await realProvider(CALLBACK, 'client_secret_post')
    await app.api('PUT', '/api/settings', other.settings(CALLBACK))
    const walk = async (): Promise<Response> => {
      const page = browser()
      const back = await other.authorize((await page.begin()).href)
      return page.get(`${back.pathname}${back.search}`)
    }
    other.account = person('by-post')
    expect(tokenOf(await walk())).toBeDefined()
    expect(tokenOf(await walk())).toBeDefined()
    await other.close()
  })

  test('a locked account stays locked', async () => {
    provider.account = person('locked-out')
    const user = await me(tokenOf(await through()))
    await app.api('PUT', `/api/users/${user.id}`, { disabled: true })
    expect((await through()).status).toBe(403)
  })

  test('browsers are sent to the sign-in page with the error’s code, other clients get JSON', async () => {
    const html = await browser().get('/auth/callback?code=x&state=y', { accept: 'text/html,*/*' })
    expect([html.status, html.headers.get('location')]).toEqual([302, '/login?error=oidc_state'])
    const json = await browser().get('/auth/callback?code=x&state=y')
    expect([json.status, ((await json.json()) as { error: string }).error]).toEqual([400, 'Invalid OIDC state'])
  })

  test('is off, unset or unreachable in the words of the contract', async () => {
    const asked = async (settings: Record<string, unknown>) => {
      await app.api('PUT', '/api/settings', settings)
      const answer = await browser().get('/auth/login')
      return [answer.status, ((await answer.json()) as { error: string }).error]
    }
    expect(await asked({ oidc_enabled: false })).toEqual([503, 'OIDC is disabled'])
    expect(await asked({ oidc_enabled: true, oidc_client_id: '' })).toEqual([503, 'OIDC is not configured'])
    const [status, text] = await asked({ oidc_client_id: 'x', oidc_issuer: 'http://127.0.0.1:1' })
    expect(status).toBe(503)
    expect(text).toStartWith('initialize OIDC provider "http://127.0.0.1:1": ')
    expect((await asked({ oidc_issuer: provider.issuer, ssrf_allowed_hosts: '' }))[0]).toBe(503)
    expect((await asked({ ssrf_allow_private_networks: true }))[0]).toBe(503)
    await app.api('PUT', '/api/settings', { ssrf_allow_private_networks: false })
  })
})

describe('the way back', () => {
  test('a stolen or pushed callback does nothing in another browser (login CSRF)', async () => {
    const [attacker, victim] = [browser(), browser()]
    provider.account = person('attacker')
    const back = await provider.authorize((await attacker.begin()).href)
    for (const page of [victim, browser()]) {
      const answer = await page.get(`${back.pathname}${back.search}`)
      expect([answer.status, tokenOf(answer)]).toEqual([400, undefined])
    }
    await victim.begin()
    expect((await victim.get(`${back.pathname}${back.search}`)).status).toBe(400)
    // The attacker’s own browser may still finish: nobody else used the state up.
    expect(tokenOf(await attacker.get(`${back.pathname}${back.search}`))).toBeDefined()
  })

  test('a state works once, also when two come at the same time, and for ten minutes', async () => {
    provider.account = person('once-only')
    const page = browser()
    const back = await provider.authorize((await page.begin()).href)
    const cookie = page.cookie('flai_oidc_state') ?? ''
    const headers = { cookie: `flai_oidc_state=${cookie}` }
    const answers = await Promise.all(Array.from({ length: 5 }, () => app.fetch(`${back.pathname}${back.search}`, { headers })))
    expect(answers.filter((answer) => tokenOf(answer) !== undefined)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(4)
    const late = browser()
    const lateBack = await provider.authorize((await late.begin()).href)
    app.clock.advance(600_000)
    expect((await late.get(`${lateBack.pathname}${lateBack.search}`)).status).toBe(400)
  })

  test('a code for another sign-in of the same browser is refused: PKCE', async () => {
    provider.account = person('pkce')
    const page = browser()
    const first = await provider.authorize((await page.begin()).href)
    const state = (await page.begin()).searchParams.get('state') ?? ''
    const answer = await page.get(
      `/auth/callback?code=${first.searchParams.get('code')}&state=${state}&iss=${encodeURIComponent(provider.issuer)}`,
    )
    expect([answer.status, tokenOf(answer)]).toEqual([500, undefined])
  })

  test('without a code, or with an error, it says so', async () => {
    const page = browser()
    const state = (await page.begin()).searchParams.get('state') ?? ''
    expect((await page.get(`/auth/callback?state=${state}`)).status).toBe(400)
    const denied = browser()
    const other = (await denied.begin()).searchParams.get('state') ?? ''
    const answer = await denied.get(`/auth/callback?error=access_denied&state=${other}`)
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, 'oidc_denied'])
  })
})

describe('connecting an account', () => {
  const bindUrl = (token: string) => ({ method: 'POST', headers: { authorization: `Bearer ${token}` } })
  async function bound(token: string, page = browser()): Promise<Response> {
    const { auth_url: url } = (await (await page.send('/api/user/oidc/bind-url', bindUrl(token))).json()) as { auth_url: string }
    const back = await provider.authorize(url)
    return page.get(`${back.pathname}${back.search}`)
  }

  test('binds the signed-in account, whatever its address; disconnecting needs another way in', async () => {
    const user = await app.user('binder')
    provider.account = { sub: 'bound-subject', email: 'else@example.test', email_verified: false }
    const token = tokenOf(await bound(user.token))
    expect(await me(token)).toMatchObject({ id: user.id, oidc_sub: 'bound-subject', email: 'binder@example.test' })
    expect(await me(tokenOf(await through()))).toMatchObject({ id: user.id })
    await app.deps.db.query.updateTable('users').set({ password_hash: null }).where('id', '=', user.id).execute()
    expect((await app.api('DELETE', '/api/user/oidc', undefined, user.token)).status).toBe(409)
    await app.deps.db.query.updateTable('users').set({ password_hash: 'x' }).where('id', '=', user.id).execute()
    expect((await app.api('DELETE', '/api/user/oidc', undefined, user.token)).status).toBe(200)
    expect((await me(user.token)).oidc_sub).toBeUndefined()
    expect((await app.api('DELETE', '/api/user/oidc', undefined, user.token)).status).toBe(400)
  })

  test('binds no subject of somebody else, and nothing for a session that has ended', async () => {
    provider.account = person('somebody-else')
    await through()
    const user = await app.user('thief')
    const taken = await bound(user.token)
    expect([taken.status, ((await taken.json()) as { error: string }).error]).toEqual([
      500,
      'OIDC account is already bound to another user',
    ])
    provider.account = person('after-logout')
    const page = browser()
    const { auth_url: url } = (await (await page.send('/api/user/oidc/bind-url', bindUrl(user.token))).json()) as { auth_url: string }
    // The asking session counts, not another one that goes on.
    await login(app, 'thief', user.password)
    await app.api('POST', '/auth/logout', undefined, user.token)
    const back = await provider.authorize(url)
    expect((await page.get(`${back.pathname}${back.search}`)).status).toBe(500)
    expect(
      (await app.deps.db.query.selectFrom('users').select('oidc_sub').where('id', '=', user.id).executeTakeFirst())?.oidc_sub,
    ).toBeNull()
  })
})

async function count(): Promise<{ users: number; bound: number }> {
  const rows = await app.deps.db.query.selectFrom('users').select('oidc_sub').execute()
  return { users: rows.length, bound: rows.filter(({ oidc_sub: sub }) => sub !== null).length }
}
