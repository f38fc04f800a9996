import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { CreationOptions, PasskeyWire } from '../../../contract/api/passkeys.ts'
import { createTestApp, type TestApp, type TestUser } from '../../../test/app.ts'
import { Authenticator } from '../../../test/authenticator.ts'
import { handleOf, ORIGIN, PASSKEY_SETTINGS, passkeyBrowser, type Failure } from '../../../test/passkeys.ts'

/** A database of its own on a busy machine. */
const BUSY_MS = 30_000
let app: TestApp
beforeAll(async () => {
  app = await createTestApp({ settings: PASSKEY_SETTINGS })
}, BUSY_MS)
afterAll(() => app.close(), BUSY_MS)
// Limits are a minute's.
beforeEach(() => app.clock.advance(61_000))

const { createOptions, getOptions, register, login, enrolled } = passkeyBrowser(() => app)
const list = async (who: TestUser) => (await app.api<PasskeyWire[]>('GET', '/api/user/passkeys', undefined, who.token)).body
const creation = async (who: TestUser) =>
  app.api<{ publicKey: CreationOptions } & Failure>('POST', '/api/user/passkeys/register/options', undefined, who.token)

describe('authenticators', () => {
  test('with an RSA key, as Windows has them, sign in; what another of them signed does not', async () => {
    const who = await app.user('rsa')
    const [mine, other] = [new Authenticator(ORIGIN, 'RS256'), new Authenticator(ORIGIN, 'RS256')]
    expect((await register(who, mine.create(await createOptions(who)), 'Hello')).body).toMatchObject({ name: 'Hello', sign_count: 0 })
    expect((await login(mine.get(await getOptions(), handleOf(who)))).status).toBe(200)
    const { response } = other.get(await getOptions(), handleOf(who), { counter: 9 })
    expect((await login({ id: mine.rawId, rawId: mine.rawId, type: 'public-key', response })).body.code).toBe('passkey_signature')
  })

  test('that do not count stay at 0 for ever; one that ever counted may not go back to it', async () => {
    const who = await app.user('countless')
    const authenticator = await enrolled(who)
    for (let n = 0; n < 3; n += 1)
      expect((await login(authenticator.get(await getOptions(), handleOf(who), { counter: 0 }))).status).toBe(200)
    expect(await list(who)).toMatchObject([{ sign_count: 0, last_used_at: expect.any(String) }])
    expect((await login(authenticator.get(await getOptions(), handleOf(who), { counter: 5 }))).status).toBe(200)
    expect((await login(authenticator.get(await getOptions(), handleOf(who), { counter: 0 }))).body.code).toBe('passkey_counter')
    expect(await list(who)).toMatchObject([{ sign_count: 5 }])
  })

  test('that send no user handle are found by their credential', async () => {
    const who = await app.user('handleless')
    const authenticator = await enrolled(who)
    expect((await login(authenticator.get(await getOptions(), ''))).status).toBe(200)
  })

  test('older ones name neither type nor id; both are taken for what rawId says', async () => {
    const who = await app.user('terse')
    const authenticator = await enrolled(who)
    for (const said of [{ type: undefined }, { type: '' }, { type: null }, { id: '' }])
      expect((await login({ ...authenticator.get(await getOptions(), handleOf(who)), ...said })).status).toBe(200)
  })
})

describe('fifty passkeys an account', () => {
  test('are the most: the browser is not asked for another, and an answer that comes late is refused', async () => {
    const who = await app.user('collector')
    const now = app.clock.now()
    const fill = (count: number) =>
      app.deps.db.query
        .insertInto('passkeys')
        .values(
          Array.from({ length: count }, (_, n) => ({
            user_id: who.id,
            name: 'filled',
            credential_id: `filled-${count}-${n}`,
            public_key: 'AA',
            sign_count: 0,
            transports: '[]',
            last_used_at: null,
            created_at: now,
            updated_at: now,
          })),
        )
        .execute()
    await fill(49)
    const [last, late] = [new Authenticator(ORIGIN), new Authenticator(ORIGIN)]
    const [lastOptions, lateOptions] = [await createOptions(who), await createOptions(who)]
    expect((await register(who, last.create(lastOptions))).status).toBe(200)
    expect((await register(who, late.create(lateOptions))).body.code).toBe('passkey_limit')
    expect((await creation(who)).body.code).toBe('passkey_limit')
    expect(await list(who)).toHaveLength(50)
    const other = await app.user('with-none')
    expect((await creation(other)).body.publicKey.excludeCredentials).toEqual([])
  })
})

describe('the names a browser shows', () => {
  test('are user name and address, each for the other where one is missing', async () => {
    const who = await app.user('named')
    const shown = async (change: { email: string } | { username: string }) => {
      await app.deps.db.query.updateTable('users').set(change).where('id', '=', who.id).execute()
      const { name, displayName } = (await creation(who)).body.publicKey.user
      return [name, displayName]
    }
    expect(await shown({ email: '' })).toEqual(['named', 'named'])
    await app.deps.db.query.updateTable('users').set({ email: 'named@example.test' }).where('id', '=', who.id).execute()
    expect(await shown({ username: '' })).toEqual(['named@example.test', 'named@example.test'])
  })

  test('of passkeys are cut to a hundred characters; an empty one is called Passkey', async () => {
    const who = await app.user('namer')
    const authenticator = new Authenticator(ORIGIN)
    const made = await register(who, authenticator.create(await createOptions(who)), ` ${'n'.repeat(100)}`)
    expect(made.body.name).toBe('n'.repeat(100))
    const renamed = await app.api<PasskeyWire>('PUT', `/api/user/passkeys/${made.body.id}`, { name: '  ' }, who.token)
    expect(renamed.body.name).toBe('Passkey')
  })
})

test('one address gets 120 challenges a minute, another its own', async () => {
  const ask = async (from: string): Promise<number> =>
    (await app.fetch('/auth/passkey/login/options', { method: 'POST', body: '{}' }, from)).status
  const codes: number[] = []
  for (let n = 0; n < 121; n += 1) codes.push(await ask('192.0.2.1'))
  expect(codes).toEqual([...Array<number>(120).fill(200), 429])
  const refused = await app.fetch('/auth/passkey/login/options', { method: 'POST', body: '{}' }, '192.0.2.1')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
  expect(await ask('192.0.2.2')).toBe(200)
  app.clock.advance(60_000)
  expect(await ask('192.0.2.1')).toBe(200)
})
