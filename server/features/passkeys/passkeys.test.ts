import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { CreationOptions, PasskeyWire, RequestOptions } from '../../../contract/api/passkeys.ts'
import { createTestApp, type TestApp, type TestUser } from '../../../test/app.ts'
import { Authenticator, type Lies } from '../../../test/authenticator.ts'
import { handleOf, ORIGIN, PASSKEY_SETTINGS, passkeyBrowser, RP_ID, type Failure } from '../../../test/passkeys.ts'

let app: TestApp
let user: TestUser
let other: TestUser
/** A database of its own on a busy machine. */
const BUSY_MS = 30_000
beforeAll(async () => {
  app = await createTestApp({ settings: PASSKEY_SETTINGS })
  user = await app.user('ada')
  other = await app.user('bob')
}, BUSY_MS)
afterAll(() => app.close(), BUSY_MS)
// Limits are a minute's.
beforeEach(() => app.clock.advance(61_000))

const { createOptions, getOptions, register, login, enrolled } = passkeyBrowser(() => app)

describe('passkeys', () => {
  test('options are the contract’s, with user verification required and the relying party of the base URL', async () => {
    const { body } = await app.api<{ publicKey: CreationOptions }>('POST', '/api/user/passkeys/register/options', undefined, user.token)
    expect(body.publicKey).toMatchObject({
      rp: { name: 'Gate', id: RP_ID },
      user: { id: handleOf(user), name: 'ada@example.test', displayName: 'ada' },
      pubKeyCredParams: [
        { type: 'public-key', alg: -7 },
        { type: 'public-key', alg: -257 },
      ],
      timeout: 60_000,
      attestation: 'none',
      excludeCredentials: [],
      authenticatorSelection: { userVerification: 'required', residentKey: 'preferred' },
    })
    const options = await getOptions()
    expect(options).toMatchObject({ timeout: 60_000, rpId: RP_ID, allowCredentials: [], userVerification: 'required' })
    expect(Buffer.from(options.challenge, 'base64url')).toHaveLength(32)
  })

  test('several an account: registered, named, listed newest first, used by name and without, renamed, deleted', async () => {
    const who = await app.user('several')
    const first = await enrolled(who)
    const second = new Authenticator(ORIGIN)
    expect((await register(who, second.create(await createOptions(who)))).body).toMatchObject({ name: 'Passkey', sign_count: 0 })
    const list = async () => (await app.api<PasskeyWire[]>('GET', '/api/user/passkeys', undefined, who.token)).body
    expect((await list()).map(({ name }) => name)).toEqual(['Passkey', 'made'])
    expect((await getOptions('several')).allowCredentials.map(({ id }) => id)).toEqual([second.rawId, first.rawId])

    expect((await getOptions(' several ')).allowCredentials.map(({ id }) => id)).toEqual([second.rawId, first.rawId])
    const byName = await login(first.get(await getOptions('SEVERAL@example.test'), handleOf(who)))
    expect(byName.status).toBe(200)
    const discovered = await login(second.get(await getOptions(), handleOf(who)))
    expect((await app.api<{ id: number }>('GET', '/api/user/me', undefined, discovered.body.token)).body.id).toBe(who.id)
    const [newest, oldest] = await list()
    expect([newest?.sign_count, oldest?.last_used_at === null]).toEqual([1, false])

    const path = `/api/user/passkeys/${newest?.id}`
    expect((await app.api<PasskeyWire>('PUT', path, { name: '  Key ring ' }, who.token)).body.name).toBe('Key ring')
    expect((await app.api('PUT', path, { name: 'mine' }, other.token)).status).toBe(404)
    expect((await app.api('DELETE', path, undefined, other.token)).status).toBe(404)
    expect((await app.api('DELETE', path, undefined, who.token)).body).toEqual({ message: 'Passkey deleted' })
    const gone = await app.api<Failure>('DELETE', path, undefined, who.token)
    expect([gone.status, gone.body.error]).toEqual([404, 'Passkey not found'])
    expect((await login(second.get(await getOptions(), handleOf(who)))).body.error).toBe('passkey not found')
    const audited = await app.deps.db.query.selectFrom('audit_log').select('action').where('object_type', '=', 'passkey').execute()
    expect(new Set(audited.map(({ action }) => action))).toEqual(new Set(['create', 'update', 'delete']))
  })

  test('the last way into an account stays', async () => {
    const who = await app.user('only')
    await enrolled(who)
    await app.deps.db.query.updateTable('users').set({ password_hash: null }).where('id', '=', who.id).execute()
    const [passkey] = (await app.api<PasskeyWire[]>('GET', '/api/user/passkeys', undefined, who.token)).body
    const path = `/api/user/passkeys/${passkey?.id}`
    const refused = await app.api<Failure>('DELETE', path, undefined, who.token)
    expect([refused.status, refused.body.code]).toEqual([409, 'last_sign_in'])
    await enrolled(who)
    expect((await app.api('DELETE', path, undefined, who.token)).status).toBe(200)
  })

  test('an unknown name, and one without passkeys, get options like any other (W21)', async () => {
    const unknown = await getOptions('nobody-here')
    const without = await getOptions('bob')
    expect([unknown.allowCredentials.length, without.allowCredentials.length]).toEqual([1, 1])
    for (const spelling of ['nobody-here', 'Nobody-Here', ' nobody-here '])
      expect((await getOptions(spelling)).allowCredentials).toEqual(unknown.allowCredentials)
    expect((await getOptions('nobody-there')).allowCredentials).not.toEqual(unknown.allowCredentials)
    expect((await getOptions('   ')).allowCredentials).toEqual([])
    const authenticator = await enrolled(user)
    expect((await login(authenticator.get(unknown, handleOf(user)))).body.code).toBe('passkey_foreign')
  })

  test('the Host and Origin headers choose no relying party; localhost does, from this machine, while no base URL is set', async () => {
    const ask = async (headers: Record<string, string>, from?: string) => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '{}' }
      const response = await app.fetch('https://evil.example/auth/passkey/login/options', init, from)
      return ((await response.json()) as { publicKey?: RequestOptions; error?: string }) ?? {}
    }
    expect((await ask({ origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' })).publicKey?.rpId).toBe(RP_ID)
    for (const base of ['', 'http://127.0.0.1:8080']) {
      await app.api('PUT', '/api/settings', { base_url: base })
      expect((await ask({ origin: 'https://evil.example' })).error).toBe('Passkey relying party is not configured')
      expect((await ask({})).error).toBe('Passkey relying party is not configured')
      expect((await ask({ origin: 'http://localhost:8080' }, '203.0.113.5')).error).toBe('Passkey relying party is not configured')
      expect((await ask({ origin: 'http://localhost:8080' })).publicKey?.rpId).toBe('localhost')
    }
    await app.api('PUT', '/api/settings', { base_url: ORIGIN })
  })

  test('switched off nothing is made and nobody gets in', async () => {
    const authenticator = await enrolled(user)
    const answer = authenticator.get(await getOptions(), handleOf(user))
    const creation = new Authenticator(ORIGIN).create(await createOptions(user))
    await app.api('PUT', '/api/settings', { passkey_enabled: false })
    const off = 'passkey authentication is disabled'
    expect((await login(answer)).body.error).toBe(off)
    expect((await register(user, creation)).body.error).toBe(off)
    expect((await app.api<Failure>('POST', '/auth/passkey/login/options', {}, null)).body.error).toBe(off)
    expect((await app.api<Failure>('POST', '/api/user/passkeys/register/options', undefined, user.token)).body.error).toBe(off)
    await app.api('PUT', '/api/settings', { passkey_enabled: true })
  })

  test('a disabled account stays out, and a passkey of a deleted one is gone', async () => {
    const who = await app.user('leaves')
    const authenticator = await enrolled(who)
    await app.api('PUT', `/api/users/${who.id}`, { disabled: true })
    expect((await login(authenticator.get(await getOptions(), handleOf(who)))).status).toBe(403)
    await app.api('DELETE', `/api/users/${who.id}`)
    expect((await login(authenticator.get(await getOptions(), handleOf(who)))).body.error).toBe('passkey not found')
  })
})

describe('a challenge (S9)', () => {
  test('used 200 times at once lets one in', async () => {
    const authenticator = await enrolled(user)
    const answer = authenticator.get(await getOptions(), handleOf(user))
    const answers = await Promise.all(Array.from({ length: 200 }, () => login(answer)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(new Set(answers.filter(({ status }) => status !== 200).map(({ body }) => body.code))).toEqual(new Set(['passkey_challenge']))
  })

  test('ends after five minutes, and is good for one purpose, one user and one try', async () => {
    const authenticator = await enrolled(user)
    const late = authenticator.get(await getOptions(), handleOf(user))
    app.clock.advance(5 * 60_000)
    expect((await login(late)).body.code).toBe('passkey_challenge')
    expect((await login(authenticator.get(await createOptions(user), handleOf(user)))).body.code).toBe('passkey_challenge')
    const fresh = new Authenticator(ORIGIN)
    expect((await register(user, fresh.create(await getOptions()))).body.code).toBe('passkey_challenge')
    expect((await register(other, fresh.create(await createOptions(user)))).body.code).toBe('passkey_challenge')
    const options = await getOptions()
    expect((await login(authenticator.get(options, handleOf(user), { origin: 'https://evil.example' }))).body.code).toBe('passkey_origin')
    expect((await login(authenticator.get(options, handleOf(user)))).body.code).toBe('passkey_challenge')
    expect((await login(authenticator.get(await getOptions('ada'), handleOf(user)))).status).toBe(200)
  })

  test('two answers with one count: one gets in, and the other is on record', async () => {
    const authenticator = await enrolled(user)
    const [one, two] = [await getOptions(), await getOptions()]
    const lies: Lies = { counter: 7 }
    const answers = await Promise.all([one, two].map((options) => login(authenticator.get(options, handleOf(user), lies))))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400])
    const rows = await app.deps.db.query.selectFrom('audit_log').select('object_id').where('action', '=', 'refuse').execute()
    expect(rows.map(({ object_id: id }) => id)).toContain(authenticator.rawId)
  })
})
