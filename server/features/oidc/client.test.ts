import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { Browser, tokenOf } from '../../../test/oidc/browser.ts'
import { hostileProvider, type HostileProvider, type TokenRequest } from '../../../test/oidc/hostile-provider.ts'

const BASE = 'http://localhost'
const CALLBACK = `${BASE}/auth/callback`
/** A database of its own on a busy machine. */
const BUSY_MS = 30_000

let app: TestApp
let provider: HostileProvider
/** What came to the token endpoint. */
let asked: TokenRequest[] = []
beforeAll(async () => {
  provider = await hostileProvider()
  app = await createTestApp()
}, BUSY_MS)
beforeEach(async () => {
  // What was discovered is forgotten.
  app.clock.advance(2 * 60 * 60_000)
  asked = []
  provider.lie = { tokenAnswer: noted }
  await app.api('PUT', '/api/settings', { ...provider.settings(CALLBACK), base_url: '' }, await app.admin())
})
afterAll(async () => {
  await app.close()
  await provider.close()
}, BUSY_MS)

function noted(request: TokenRequest): undefined {
  asked.push(request)
}
const set = async (settings: Record<string, unknown>) => app.api('PUT', '/api/settings', settings, await app.admin())
let people = 0
/** Signs somebody new in, all the way. */
async function signIn(claims: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<Response> {
  const sub = `person-${(people += 1)}`
  provider.claims = { sub, email: `${sub}@example.test`, email_verified: true, ...claims }
  const page = new Browser(app, BASE)
  const begun = await page.send('/auth/login', { headers })
  if (begun.status !== 302) return begun
  const sent = new URL(begun.headers.get('location') ?? '').searchParams
  provider.nonce = sent.get('nonce') ?? ''
  return page.get(`/auth/callback?${new URLSearchParams({ code: 'code', state: sent.get('state') ?? '', iss: provider.issuer })}`)
}
interface Me {
  id: number
  username: string
  avatar_url: string
}
const me = async (answer: Response): Promise<Me> => (await app.api<Me>('GET', '/api/user/me', undefined, tokenOf(answer) ?? 'none')).body
const users = () => app.deps.db.query.updateTable('users')

describe('the application tells the provider who it is', () => {
  const basic = (): string => `Basic ${btoa(`tollgate:${encodeURIComponent(provider.secret).replaceAll('%20', '+')}`)}`

  test('by header, where nothing else is said, and never in the body too', async () => {
    expect(tokenOf(await signIn())).toBeDefined()
    expect(asked).toMatchObject([{ authorization: basic(), form: { grant_type: 'authorization_code', redirect_uri: CALLBACK } }])
    expect(asked[0]?.form['client_secret']).toBeUndefined()
    expect(asked[0]?.form['code_verifier']).toHaveLength(43)
  })

  test('in the body, where the provider takes nothing else', async () => {
    provider.lie = { ...provider.lie, discovery: { token_endpoint_auth_methods_supported: ['client_secret_post'] } }
    expect(tokenOf(await signIn())).toBeDefined()
    expect(asked).toMatchObject([{ authorization: null, form: { client_id: 'tollgate', client_secret: provider.secret } }])
  })

  test.each([
    ['400 and the error', 400, {}],
    ['401 and the error', 401, {}],
    ['401 and a challenge, as RFC 6749 wants it', 401, { 'www-authenticate': 'Basic realm="provider"' }],
  ])('in the body, once the header was refused with %s, and from then on at once', async (_, status, headers) => {
    const tokenAnswer = (request: TokenRequest): Response | undefined => {
      noted(request)
      return request.authorization === null ? undefined : Response.json({ error: 'invalid_client' }, { status, headers })
    }
    provider.lie = { tokenAnswer }
    expect(tokenOf(await signIn())).toBeDefined()
    expect(asked.map(({ authorization, form }) => [authorization === null, form['client_secret'] !== undefined])).toEqual([
      [false, false],
      [true, true],
    ])
    expect(tokenOf(await signIn())).toBeDefined()
    expect(asked).toHaveLength(3)
  })

  test('twice at most: a secret that is wrong both ways signs nobody in', async () => {
    provider.lie = { tokenAnswer: (request) => noted(request) ?? Response.json({ error: 'invalid_client' }, { status: 401 }) }
    expect((await signIn()).status).toBe(500)
    expect(asked).toHaveLength(2)
    expect((await signIn()).status).toBe(500)
    expect(asked).toHaveLength(3)
  })

  test('once, when the refusal is about the code', async () => {
    provider.lie = { tokenAnswer: (request) => noted(request) ?? Response.json({ error: 'invalid_grant' }, { status: 400 }) }
    expect((await signIn()).status).toBe(500)
    expect(asked).toHaveLength(1)
  })

  test('by its name alone, as a public client, when it has no secret', async () => {
    await set({ oidc_client_secret: null })
    expect(tokenOf(await signIn())).toBeDefined()
    expect(asked).toMatchObject([{ authorization: null, form: { client_id: 'tollgate' } }])
    expect(asked[0]?.form['client_secret']).toBeUndefined()
  })
})

describe('where the browser comes back to', () => {
  const target = async (): Promise<string | null> => (await new Browser(app, BASE).begin()).searchParams.get('redirect_uri')

  test('is what is set, else beside the address of the site, never what a request says', async () => {
    expect(await target()).toBe(CALLBACK)
    await set({ oidc_redirect_url: '', base_url: 'https://gate.example/' })
    expect(await target()).toBe('https://gate.example/auth/callback')
  })

  test('is needed: without either nobody is sent away', async () => {
    await set({ oidc_redirect_url: '' })
    const answer = await signIn({}, { host: 'evil.example', 'x-forwarded-host': 'evil.example' })
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([503, 'OIDC is not configured'])
  })
})

describe('what the provider says of a person', () => {
  const picture = 'https://pictures.example/me.png'

  test('a picture over TLS is taken, for a new account and for one that has none', async () => {
    expect((await me(await signIn({ picture }))).avatar_url).toBe(picture)
    const local = await app.user('without-picture')
    expect(await me(await signIn({ email: 'without-picture@example.test', picture }))).toMatchObject({ id: local.id, avatar_url: picture })
    const own = await app.user('with-picture')
    await users().set({ avatar_url: 'https://mine.example/' }).where('id', '=', own.id).execute()
    expect(await me(await signIn({ email: 'with-picture@example.test', picture }))).toMatchObject({
      id: own.id,
      avatar_url: 'https://mine.example/',
    })
  })

  test.each([
    ['http://pictures.example/me.png'],
    ['javascript:alert(1)'],
    ['data:image/png;base64,AA'],
    [`https://${'x'.repeat(1_993)}`],
    [7],
  ])('a picture that is %p is not', async (odd) => {
    const answer = await signIn({ picture: odd })
    expect(tokenOf(answer)).toBeDefined()
    expect((await me(answer)).avatar_url).toBe('')
  })

  test('the longest picture address is taken whole', async () => {
    const longest = `https://${'x'.repeat(1_992)}`
    expect((await me(await signIn({ picture: longest }))).avatar_url).toBe(longest)
  })

  test('names the account: the name, else the address before its @, else the subject, else something', async () => {
    const named = async (claims: Record<string, unknown>): Promise<string> => (await me(await signIn(claims))).username
    expect(await named({ name: ' Ada @ Home\u0000 ' })).toBe('Ada  Home')
    expect(await named({ name: 'x', email: 'lovelace@example.test' })).toBe('lovelace')
    expect(await named({ name: 7, email: 'ab@example.test', sub: 'subject-of-ab' })).toBe('subject-of-ab')
    expect(await named({ name: '@@', email: 'cd@example.test', sub: 's1' })).toBe('user')
    expect(await named({ name: 'n'.repeat(5_000) })).toBe('n'.repeat(100))
  })

  test('the address of the user info counts where the token has none, bound by the subject', async () => {
    provider.lie = {
      ...provider.lie,
      claims: { email: undefined, email_verified: undefined, sub: 'by-user-info' },
      userinfo: { sub: 'by-user-info', email: 'by-user-info@example.test', email_verified: true },
    }
    expect((await me(await signIn())).username).toBe('by-user-info')
  })

  test('an account that was bound before issuers were kept is known by its subject, and its issuer from then on', async () => {
    const { id } = await me(await signIn({ sub: 'from-before', email: 'from-before@example.test' }))
    await users().set({ oidc_issuer: null }).where('id', '=', id).execute()
    expect(await me(await signIn({ sub: 'from-before', email: 'other@example.test' }))).toMatchObject({ id })
    const row = await app.deps.db.query.selectFrom('users').select('oidc_issuer').where('id', '=', id).executeTakeFirst()
    expect(row?.oidc_issuer).toBe(provider.issuer)
  })

  test('a locked account is not opened by its address, and stays unbound', async () => {
    const locked = await app.user('locked-by-address')
    await app.api('PUT', `/api/users/${locked.id}`, { disabled: true }, await app.admin())
    const answer = await signIn({ email: 'locked-by-address@example.test' })
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([403, 'account_disabled'])
    const row = await app.deps.db.query.selectFrom('users').select('oidc_sub').where('id', '=', locked.id).executeTakeFirst()
    expect(row?.oidc_sub).toBeNull()
  })
})

test('a provider that answers with nothing is said to be unavailable', async () => {
  provider.lie = { discoveryAnswer: () => new Response(null, { status: 204 }) }
  const answer = await signIn()
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, 'oidc_unavailable'])
})

test('twenty tries a minute from one address, there and back', async () => {
  const codes: number[] = []
  for (let n = 0; n < 21; n += 1) codes.push((await app.fetch('/auth/login')).status)
  expect(codes).toEqual([...Array<number>(20).fill(302), 429])
  const refused = await app.fetch('/auth/callback?code=x&state=y')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
  expect((await app.fetch('/auth/login', {}, '192.0.2.1')).status).toBe(302)
  app.clock.advance(60_000)
  expect((await app.fetch('/auth/callback?code=x&state=y')).status).toBe(400)
})
