import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createTestApp, login, TEST_SECRET, type TestApp } from '../../../test/app.ts'
import { OWNER } from '../../../test/site.ts'
import { deriveKey } from '../../lib/secret-box.ts'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(() => app.close())

const me = async (token: string | null): Promise<number> => (await app.api('GET', '/api/user/me', undefined, token)).status
const minute = (): void => app.clock.advance(61_000)

describe('password sign-in', () => {
  test('by user name or e-mail in any case, answering token and user', async () => {
    minute()
    const byMail = await app.api<{ token: string; user: { role: string; is_admin: boolean } }>(
      'POST',
      '/auth/password/login',
      { identifier: 'OWNER@example.test', password: OWNER.password },
      null,
    )
    expect(byMail.status).toBe(200)
    expect(byMail.body.user).toMatchObject({ role: 'owner', is_admin: true })
    expect(await me(await login(app, OWNER.username, OWNER.password))).toBe(200)
    // Phones put a blank behind what they complete.
    expect(await me(await login(app, ` ${OWNER.username} `, OWNER.password))).toBe(200)
  })

  test('an unknown user, a wrong password and an account without one get the same answer', async () => {
    minute()
    const passkeyOnly = await app.user('nopassword')
    await app.deps.db.query.updateTable('users').set({ password_hash: null }).where('id', '=', passkeyOnly.id).execute()
    const answers = await Promise.all(
      [
        ['nobody', 'x'],
        [OWNER.username, 'wrong'],
        ['nopassword', 'x'],
      ].map(async ([identifier, password]) => {
        const { status, body } = await app.api<{ error: string }>('POST', '/auth/password/login', { identifier, password }, null)
        return [status, body.error]
      }),
    )
    expect(answers).toEqual(Array.from({ length: 3 }, () => [400, 'invalid username/email or password']))
  })

  test('a user name that is another one’s e-mail does not stand in for him', async () => {
    minute()
    await app.user('victim')
    await app.user('victim@example.test')
    const token = await login(app, 'victim@example.test', 'a long enough password')
    expect((await app.api<{ username: string }>('GET', '/api/user/me', undefined, token)).body.username).toBe('victim')
  })

  test('a bcrypt hash of an imported account works once and is then argon2id', async () => {
    minute()
    const user = await app.user('imported')
    const hash = await Bun.password.hash(user.password, { algorithm: 'bcrypt', cost: 4 })
    await app.deps.db.query.updateTable('users').set({ password_hash: hash }).where('id', '=', user.id).execute()
    await login(app, 'imported', user.password)
    const row = await app.deps.db.query.selectFrom('users').select('password_hash').where('id', '=', user.id).executeTakeFirstOrThrow()
    expect(row.password_hash).toStartWith('$argon2id$')
    await login(app, 'imported', user.password)
  })

  test('five tries a minute for one name, fifteen from one address', async () => {
    minute()
    const tries = async (name: (n: number) => string, count: number): Promise<number[]> => {
      const codes: number[] = []
      for (let n = 0; n < count; n += 1)
        codes.push((await app.api('POST', '/auth/password/login', { identifier: name(n), password: 'x' }, null)).status)
      return codes
    }
    expect(await tries(() => 'same', 6)).toEqual([400, 400, 400, 400, 400, 429])
    minute()
    const spellings = ['same', ' same', 'same ', 'SAME', ' Same ']
    expect(await tries((n) => spellings[n % 5] ?? '', 6)).toEqual([400, 400, 400, 400, 400, 429])
    minute()
    expect((await tries((n) => `name${n}`, 16)).at(-1)).toBe(429)
    const refused = await app.api<{ retry_after: number }>('POST', '/auth/password/login', { identifier: 'name', password: 'x' }, null)
    expect([refused.status, refused.body.retry_after, refused.headers.get('retry-after')]).toEqual([429, 60, '60'])
    minute()
  }, 20_000)
})

describe('sessions', () => {
  test('logout ends this session, and `others` all but it', async () => {
    minute()
    const user = await app.user('sessions')
    const [second, third] = [await login(app, 'sessions', user.password), await login(app, 'sessions', user.password)]
    const list = await app.api<{ id: string; current: boolean }[]>('GET', '/api/user/sessions', undefined, second)
    expect(list.body.map(({ current }) => current).filter(Boolean)).toHaveLength(1)
    expect((await app.api('POST', '/auth/logout', undefined, third)).status).toBe(200)
    expect([await me(third), await me(second)]).toEqual([401, 200])
    expect((await app.api('DELETE', '/api/user/sessions/others', undefined, second)).status).toBe(200)
    expect([await me(user.token), await me(second)]).toEqual([401, 200])
  })

  test('another user’s session cannot be ended', async () => {
    minute()
    const [one, two] = [await app.user('one'), await app.user('two')]
    const [session] = (await app.api<{ id: string }[]>('GET', '/api/user/sessions', undefined, two.token)).body
    expect((await app.api('DELETE', `/api/user/sessions/${session?.id}`, undefined, one.token)).status).toBe(404)
    expect(await me(two.token)).toBe(200)
  })

  test('locking and demoting end all sessions; a locked user cannot sign in', async () => {
    minute()
    const user = await app.user('locked')
    await app.api('PUT', `/api/users/${user.id}`, { disabled: true })
    expect(await me(user.token)).toBe(401)
    expect((await app.api('POST', '/auth/password/login', { identifier: 'locked', password: user.password }, null)).status).toBe(403)
    const admin = await app.user('demoted', 'admin')
    await app.api('PUT', `/api/users/${admin.id}`, { is_admin: false })
    expect(await me(admin.token)).toBe(401)
  })

  test('ends after seven days', async () => {
    minute()
    const other = await createTestApp()
    const token = await other.admin()
    other.clock.advance(7 * 86_400_000 - 1_000)
    expect((await other.api('GET', '/api/user/me', undefined, token)).status).toBe(200)
    other.clock.advance(1_000)
    expect((await other.api('GET', '/api/user/me', undefined, token)).status).toBe(401)
    await other.close()
  })

  test('API keys, the query and malformed headers are no way in', async () => {
    const byKey = await app.api<{ code: string }>('GET', '/api/user/me', undefined, 'sk-abc')
    expect([byKey.status, byKey.body.code]).toEqual([401, 'api_key_on_dashboard'])
    expect((await app.fetch(`/api/user/me?key=${await app.admin()}`)).status).toBe(401)
    const malformed = await app.fetch('/api/user/me', { headers: { authorization: await app.admin(), 'x-api-key': await app.admin() } })
    expect([malformed.status, ((await malformed.json()) as { error: string }).error]).toEqual([401, 'Authorization is required'])
    expect((await app.fetch('/api/user/me', { headers: { 'x-api-key': await app.admin() } })).status).toBe(200)
  })
})

describe('forged tokens (S10)', () => {
  const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = (header: object, payload: object, key: Buffer | string, hash = 'sha256'): string => {
    const body = `${b64(header)}.${b64(payload)}`
    return `${body}.${createHmac(hash, key).update(body).digest('base64url')}`
  }
  const hs256 = { alg: 'HS256', typ: 'JWT' }

  test('are refused, all of them', async () => {
    const right = JSON.parse(Buffer.from((await app.admin()).split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
    const key = deriveKey(TEST_SECRET, 'session')
    expect(await me(signed(hs256, right, key))).toBe(200)
    const without = (name: string): Record<string, unknown> => Object.fromEntries(Object.entries(right).filter(([claim]) => claim !== name))
    const [head = '', payload = '', signature = ''] = (await app.admin()).split('.')
    const forged = [
      `${b64({ alg: 'none' })}.${payload}.`,
      `${b64({ alg: 'none' })}.${payload}`,
      `${b64({ alg: 'None' })}.${payload}.${signature}`,
      `${head}.${payload}.`,
      `${head}.${payload}`,
      `${head}.${payload}.${signature.slice(0, -2)}AA`,
      `${head}.${b64({ ...right, id: 999 })}.${signature}`,
      '',
      '.',
      '..',
      'a.b.c',
      'x'.repeat(5_000),
      'null',
      '{}',
      ...['HS384', 'HS512', 'RS256', 'ES256', 'EdDSA', 'hs256', 'dir', ''].map((alg) =>
        signed({ alg, typ: 'JWT' }, right, key, alg === 'HS512' ? 'sha512' : alg === 'HS384' ? 'sha384' : 'sha256'),
      ),
      ...['', '0', 'secret', 'change-me-please', TEST_SECRET, `${TEST_SECRET} too`].map((secret) => signed(hs256, right, secret || 'x')),
      ...['setup-link', 'setup-cookie', 'seal:setting:smtp_password', 'channel-key', 'Session', ''].map((purpose) =>
        signed(hs256, right, deriveKey(TEST_SECRET, purpose)),
      ),
      signed({ ...hs256, kid: '../../dev/null' }, right, ''.padEnd(1)),
      signed({ ...hs256, jwk: { kty: 'oct', k: 'AA' } }, right, Buffer.from([0])),
      signed({ ...hs256, crit: ['exp'] }, right, key),
      signed({ ...hs256, b64: false, crit: ['b64'] }, right, key),
      ...['id', 'is_admin', 'exp', 'iat', 'iss', 'aud', 'jti'].map((name) => signed(hs256, without(name), key)),
      ...[
        { id: 0 },
        { id: -1 },
        { id: 1.5 },
        { id: '1' },
        { id: null },
        { id: 99_999 },
        { is_admin: 'true' },
        { is_admin: 1 },
        { exp: 1 },
        { exp: '9999999999' },
        { exp: Number(right['exp']) + 31_536_000 },
        { iss: 'other' },
        { aud: 'gateway' },
        { jti: '' },
        { jti: 'made-up' },
        { jti: 7 },
        { nbf: Number(right['exp']) },
      ].map((change) => signed(hs256, { ...right, ...change }, key)),
    ]
    expect(forged.length).toBeGreaterThanOrEqual(60)
    for (const token of forged)
      expect({ token: token.slice(0, 60), status: await me(token) }).toEqual({ token: token.slice(0, 60), status: 401 })
  })
})
