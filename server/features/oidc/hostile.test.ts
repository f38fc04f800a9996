import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { exportSPKI, importJWK, SignJWT } from 'jose'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { Browser, tokenOf } from '../../../test/oidc/browser.ts'
import { hostileProvider, type HostileProvider, type Lie } from '../../../test/oidc/hostile-provider.ts'

const BASE = 'http://localhost'
const CALLBACK = `${BASE}/auth/callback`
/** Verified here and there: whoever is believed to be this one gets the owner's account. */
const VICTIM = { sub: 'victim-subject', email: 'owner@example.test', email_verified: true }

let app: TestApp
let provider: HostileProvider
beforeAll(async () => {
  provider = await hostileProvider()
  app = await createTestApp()
})
beforeEach(async () => {
  app.clock.advance(2 * 60 * 60_000)
  provider.lie = {}
  provider.claims = VICTIM
  await app.api('PUT', '/api/settings', provider.settings(CALLBACK))
})
afterAll(async () => {
  await app.close()
  await provider.close()
})

const users = () => app.deps.db.query.selectFrom('users').select(['id', 'oidc_sub', 'role']).orderBy('id').execute()
const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const hmac = (header: object, claims: object, key: string): string => {
  const body = `${b64(header)}.${b64(claims)}`
  return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`
}
const redirecting = (): Response => new Response(null, { status: 302, headers: { location: `${provider.issuer}/elsewhere` } })

/** A whole sign-in, with the lie that is told just now. */
async function signIn(page = new Browser(app, BASE)): Promise<Response> {
  const begun = await page.get('/auth/login')
  if (begun.status !== 302) return begun
  const sent = new URL(begun.headers.get('location') ?? '').searchParams
  provider.nonce = sent.get('nonce') ?? ''
  return page.get(
    `/auth/callback?${new URLSearchParams({ code: 'code', state: sent.get('state') ?? '', iss: provider.issuer, ...provider.lie.back })}`,
  )
}

const claim = (claims: Record<string, unknown>): Lie => ({ claims })
const past = -7_200
const seconds = (offset: number): number => Math.floor(Date.now() / 1000) + offset

const variants: Record<string, Lie> = {
  'a signature of another key': {
    token: ({ claims, keys }) => new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(keys.other),
  },
  'a broken signature': { token: ({ jwt }) => `${jwt.slice(0, -8)}AAAAAAAA` },
  'no signature': { token: ({ jwt }) => jwt.slice(0, jwt.lastIndexOf('.') + 1) },
  'changed claims under the old signature': {
    token: ({ jwt, claims }) => [jwt.split('.')[0], b64({ ...claims, admin: true }), jwt.split('.')[2]].join('.'),
  },
  'alg none': { token: ({ claims }) => `${b64({ alg: 'none' })}.${b64(claims)}.` },
  'alg None with the real signature': { token: ({ claims, jwt }) => `${b64({ alg: 'None' })}.${b64(claims)}.${jwt.split('.')[2]}` },
  'alg none that discovery offers': {
    discovery: { id_token_signing_alg_values_supported: ['none', 'RS256'] },
    token: ({ claims }) => `${b64({ alg: 'none' })}.${b64(claims)}.`,
  },
  'HS256 with the client secret': { token: ({ claims }) => hmac({ alg: 'HS256' }, claims, provider.secret) },
  'HS256 with the client secret that discovery offers': {
    discovery: { id_token_signing_alg_values_supported: ['HS256'] },
    token: ({ claims }) => hmac({ alg: 'HS256' }, claims, provider.secret),
  },
  'HS256 with the public key as the secret': {
    discovery: { id_token_signing_alg_values_supported: ['RS256', 'HS256'] },
    token: async ({ claims, keys }) =>
      hmac({ alg: 'HS256', kid: 'k1' }, claims, await exportSPKI((await importJWK(keys.rightJwk, 'RS256')) as CryptoKey)),
  },
  'a key of its own in the header': {
    token: ({ claims, keys }) => new SignJWT(claims).setProtectedHeader({ alg: 'RS256', jwk: keys.otherJwk }).sign(keys.other),
  },
  'a key address in the header': {
    token: ({ claims, keys }) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k2', jku: `${provider.issuer}/other` }).sign(keys.other),
  },
  'a critical header nobody knows': {
    token: ({ claims, keys }) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k1', crit: ['x'], x: 1 }).sign(keys.right, { crit: { x: true } }),
  },
  'another issuer': claim({ iss: 'https://accounts.example.test' }),
  'no issuer': claim({ iss: undefined }),
  'another audience': claim({ aud: 'another-client' }),
  'no audience': claim({ aud: undefined }),
  'many audiences, authorized for another': claim({ aud: ['tollgate', 'another-client'], azp: 'another-client' }),
  'many audiences without a party': claim({ aud: ['tollgate', 'another-client'] }),
  'authorized for another': claim({ azp: 'another-client' }),
  'another nonce': claim({ nonce: 'of-another-sign-in' }),
  'no nonce': claim({ nonce: undefined }),
  expired: claim({ exp: seconds(past), iat: seconds(past * 2) }),
  'no expiry': claim({ exp: undefined }),
  'no time of issue': claim({ iat: undefined }),
  'not valid yet': claim({ nbf: seconds(7_200) }),
  'no subject': claim({ sub: undefined }),
  'an empty subject': claim({ sub: '' }),
  'a number as subject': claim({ sub: 1 }),
  'a subject without end': claim({ sub: 'x'.repeat(10_000) }),
  'an unverified address': claim({ email_verified: false }),
  'an address verified in words': claim({ email_verified: 'true' }),
  'an address that says nothing of it': claim({ email_verified: undefined }),
  'no address anywhere': { claims: { email: undefined, email_verified: undefined }, userinfo: { sub: VICTIM.sub } },
  'several addresses in one': claim({ email: 'owner@example.test,evil@example.test' }),
  'user info of somebody else': { claims: { email: undefined, email_verified: undefined }, userinfo: { ...VICTIM, sub: 'somebody-else' } },
  'claims without end': claim({ padding: 'x'.repeat(2_000_000) }),
  'no ID token': { answer: { id_token: undefined } },
  'an ID token that is none': { token: () => 'not a token' },
  'an encrypted ID token': { token: ({ jwt }) => `${jwt}.x.y` },
  'no access token': { answer: { access_token: undefined } },
  'a token answer that redirects': { tokenAnswer: redirecting },
  'a token answer that is a page': { tokenAnswer: () => new Response('<html>', { headers: { 'content-type': 'text/html' } }) },
  'keys that redirect': { jwksAnswer: redirecting },
  'no keys': { jwksAnswer: () => Response.json({ keys: [] }) },
  'discovery that redirects': { discoveryAnswer: redirecting },
  'discovery without end': { discoveryAnswer: () => Response.json({ issuer: provider.issuer, padding: 'x'.repeat(2_000_000) }) },
  'discovery of another issuer': { discovery: { issuer: 'https://accounts.example.test' } },
  'a token endpoint in the cloud’s metadata': { discovery: { token_endpoint: 'http://169.254.169.254/token' } },
  'keys on a private host': { discovery: { jwks_uri: 'https://10.0.0.1/jwks' } },
  'a token endpoint on another port without TLS': { discovery: { token_endpoint: 'http://127.0.0.1:1/token' } },
  'a mixed-up provider': { back: { iss: 'https://accounts.example.test' } },
  'an answer without the issuer it promised': { back: { iss: '' } },
  'a code that was used': { tokenAnswer: () => Response.json({ error: 'invalid_grant' }, { status: 400 }) },
}

describe('a hostile provider (S8)', () => {
  test('that tells the truth is believed, so that each lie below is the reason', async () => {
    provider.claims = { sub: 'honest', email: 'honest@example.test', email_verified: true }
    expect(tokenOf(await signIn())).toBeDefined()
  })

  test('has more than thirty lies here', () => {
    expect(Object.keys(variants).length).toBeGreaterThanOrEqual(50)
  })

  test.each(Object.keys(variants))('%s: refused, nothing linked', async (name) => {
    const before = await users()
    provider.lie = variants[name] ?? {}
    const answer = await signIn()
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(tokenOf(answer)).toBeUndefined()
    expect(await answer.text()).not.toContain('eyJ')
    expect(await users()).toEqual(before)
  })

  test('of the same subject at another issuer: somebody else', async () => {
    provider.claims = { sub: 'shared-subject', email: 'shared@example.test', email_verified: true }
    expect(tokenOf(await signIn())).toBeDefined()
    const other = await hostileProvider()
    await app.api('PUT', '/api/settings', other.settings(CALLBACK))
    const page = new Browser(app, BASE)
    const sent = (await page.begin()).searchParams
    Object.assign(other, { nonce: sent.get('nonce'), claims: { sub: 'shared-subject', email: 'evil@example.test', email_verified: true } })
    const answer = await page.get(`/auth/callback?code=x&state=${sent.get('state')}&iss=${encodeURIComponent(other.issuer)}`)
    expect([answer.status, tokenOf(answer)]).toEqual([500, undefined])
    await other.close()
  })

  test('gets no code of a sign-in that began at another provider', async () => {
    const page = new Browser(app, BASE)
    const sent = (await page.begin()).searchParams
    const other = await hostileProvider()
    await app.api('PUT', '/api/settings', other.settings(CALLBACK))
    other.claims = VICTIM
    other.nonce = sent.get('nonce') ?? ''
    const answer = await page.get(`/auth/callback?code=stolen&state=${sent.get('state')}&iss=${encodeURIComponent(provider.issuer)}`)
    expect([answer.status, tokenOf(answer), other.presented]).toEqual([400, undefined, []])
    const silent = new Browser(app, BASE)
    await app.api('PUT', '/api/settings', provider.settings(CALLBACK))
    const again = (await silent.begin()).searchParams
    await app.api('PUT', '/api/settings', other.settings(CALLBACK))
    const unnamed = await silent.get(`/auth/callback?code=stolen&state=${again.get('state')}`)
    expect([unnamed.status, other.presented]).toEqual([400, []])
    await other.close()
  })
})
