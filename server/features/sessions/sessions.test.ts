import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { Secret, TOTP } from 'otpauth'
import type { SessionWire } from '../../../contract/api/common.ts'
import type { RequestOptions } from '../../../contract/api/passkeys.ts'
import { createTestApp, login, type TestApp, type TestUser } from '../../../test/app.ts'
import { handleOf, PASSKEY_SETTINGS, passkeyBrowser, type Failure } from '../../../test/passkeys.ts'
import { isoTime } from '../../lib/clock.ts'
import { sweepSessions } from '../auth/service.ts'
import { sweepChallenges } from '../challenges/service.ts'
import { sweepCodes } from '../mail-codes/service.ts'
import { sweepFlows } from '../oidc/flow.ts'

/** A database of its own on a busy machine. */
const BUSY_MS = 30_000
const MINUTE_MS = 60_000
let app: TestApp
beforeAll(async () => {
  app = await createTestApp({ settings: PASSKEY_SETTINGS })
}, BUSY_MS)
afterAll(() => app.close(), BUSY_MS)
// Limits are a minute's.
beforeEach(() => app.clock.advance(2 * MINUTE_MS))

const { enrolled } = passkeyBrowser(() => app)
const call = <T = Failure>(method: string, path: string, token: string, body?: object) => app.api<T>(method, path, body, token)
const me = (token: string) => call<Failure & { role: string; is_admin: boolean }>('GET', '/api/user/me', token)
const sessionsOf = async (token: string) => (await call<SessionWire[]>('GET', '/api/user/sessions', token)).body
const rows = (id: number) => app.deps.db.query.selectFrom('sessions').selectAll().where('user_id', '=', id).orderBy('created_at').execute()
const audited = async (id: number) =>
  (await app.deps.db.query.selectFrom('audit_log').select(['action', 'after']).where('actor_user_id', '=', id).orderBy('id').execute()).map(
    ({ action, after }) => [action, after] as [string, unknown],
  )
const set = async (settings: Record<string, unknown>) =>
  app.api('PUT', '/api/settings', settings, await login(app, 'owner', 'correct horse battery'))
const sweep = () => Promise.all([sweepSessions, sweepChallenges, sweepCodes, sweepFlows].map((one) => one(app.deps)))
const withoutPassword = (id: number) => app.deps.db.query.updateTable('users').set({ password_hash: null }).where('id', '=', id).execute()
/** Switches an authenticator app on; what gives its code of now. */
async function authenticatorApp({ token }: TestUser): Promise<() => string> {
  const { secret } = (await call<{ secret: string }>('POST', '/api/user/second-factor/totp', token)).body
  const code = () => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: app.clock.now() })
  await call('POST', '/api/user/second-factor/totp/confirm', token, { code: code() })
  app.clock.advance(30_000)
  return code
}

describe('the sessions of a user', () => {
  test('are listed newest first with where and what they came from; the asking one is marked', async () => {
    const who = await app.user('lister')
    app.clock.advance(1_000)
    const headers = { 'content-type': 'application/json', 'user-agent': `Browser ${'x'.repeat(300)}` }
    const body = JSON.stringify({ identifier: 'lister', password: who.password })
    const answer = await app.fetch('/auth/password/login', { method: 'POST', headers, body }, '203.0.113.9')
    const { token } = (await answer.json()) as { token: string }
    const now = app.clock.now()
    expect(await sessionsOf(token)).toMatchObject([
      {
        ip: '203.0.113.9',
        user_agent: `Browser ${'x'.repeat(247)}`,
        current: true,
        created_at: isoTime(now),
        last_seen_at: isoTime(now),
        expires_at: isoTime(Math.floor(now / 1000) * 1000 + 7 * 86_400_000),
      },
      { ip: '127.0.0.1', current: false },
    ])
  })

  test('are told to the minute when they were last seen', async () => {
    const who = await app.user('seen')
    const opened = app.clock.now()
    const seen = async (ms: number) => {
      app.clock.advance(ms)
      return (await sessionsOf(who.token))[0]?.last_seen_at
    }
    expect(await seen(59_999)).toBe(isoTime(opened))
    expect(await seen(1)).toBe(isoTime(opened + 60_000))
    expect(await seen(59_999)).toBe(isoTime(opened + 60_000))
  })

  test('end one at a time, each on record; one that is over is not found', async () => {
    const who = await app.user('ender')
    const other = await login(app, 'ender', who.password)
    const [mine, his] = [await sessionsOf(who.token), await sessionsOf(other)].map((list) => list.find(({ current }) => current)?.id ?? '')
    const end = (id: string, token: string) => call<Failure & { message: string }>('DELETE', `/api/user/sessions/${id}`, token)
    expect((await end(his ?? '', who.token)).body.message).toBe('Session ended')
    expect((await me(other)).body.code).toBe('session_invalid')
    expect((await sessionsOf(who.token)).map(({ id }) => id)).toEqual([mine ?? ''])
    const gone = await end(his ?? '', who.token)
    expect([gone.status, gone.body.error]).toEqual([404, 'Session not found'])
    expect((await end('others', who.token)).body.message).toBe('Other sessions ended')
    expect((await end(mine ?? '', who.token)).status).toBe(200)
    expect((await me(who.token)).status).toBe(401)
    expect((await audited(who.id)).map(([action, after]) => [action, JSON.stringify(after).replace(/\D/g, '')])).toEqual([
      ['end_sessions', '1'],
      ['end_sessions', '0'],
      ['sign_out', '1'],
    ])
  })

  test('are swept away when they are over, with everything else of signing in that nobody finished', async () => {
    const who = await app.user('swept')
    const living = await login(app, 'swept', who.password)
    await call('POST', '/auth/logout', who.token)
    await app.api('POST', '/auth/passkey/login/options', {}, null)
    const count = async (name: 'challenges' | 'email_codes' | 'oidc_flows') =>
      (await app.deps.db.query.selectFrom(name).select('created_at').execute()).length
    const now = app.clock.now()
    const code = { email: 'a@example.test', purpose: 'registration', tries: 0, used_at: null, created_at: now }
    const flow = { user_id: null, sealed: '', created_at: now }
    await app.deps.db.query
      .insertInto('email_codes')
      .values([
        { ...code, code_hash: 'a', expires_at: now - 1 },
        { ...code, code_hash: 'b', expires_at: now + 1_000 },
      ])
      .execute()
    await app.deps.db.query
      .insertInto('oidc_flows')
      .values([
        { ...flow, id: 'a', expires_at: now },
        { ...flow, id: 'b', expires_at: now + 1 },
      ])
      .execute()
    const challenges = await count('challenges')
    await sweep()
    expect([await count('challenges'), await count('email_codes'), await count('oidc_flows')]).toEqual([challenges, 1, 1])
    expect(await rows(who.id)).toHaveLength(1)
    expect((await me(living)).status).toBe(200)
    app.clock.advance(5 * MINUTE_MS)
    await sweep()
    expect([await count('challenges'), await count('email_codes'), await count('oidc_flows')]).toEqual([0, 0, 0])
    app.clock.advance(7 * 86_400_000)
    await sweep()
    expect(await rows(who.id)).toHaveLength(0)
  })
})

describe('a session asks its row and its user each time', () => {
  const change = (id: number, to: Record<string, unknown>) => app.deps.db.query.updateTable('users').set(to).where('id', '=', id).execute()

  test('one who is locked is told so, however he came to be', async () => {
    const who = await app.user('locked')
    await change(who.id, { disabled_at: app.clock.now() })
    const answer = await me(who.token)
    expect([answer.status, answer.body.code]).toEqual([403, 'account_disabled'])
  })

  test('a role nobody knows is the least one', async () => {
    const who = await app.user('unknown-role', 'admin')
    expect((await me(who.token)).body).toMatchObject({ role: 'admin', is_admin: true })
    await change(who.id, { role: 'superuser' })
    expect((await me(who.token)).body).toMatchObject({ role: 'user', is_admin: false })
    expect((await call('GET', '/api/users', who.token)).body.code).toBe('admin_required')
  })

  test('what was opened before the user’s sessions count from is over', async () => {
    const who = await app.user('from-now')
    const [row] = await rows(who.id)
    const opened = row?.created_at ?? 0
    await change(who.id, { sessions_valid_from: opened })
    expect((await me(who.token)).status).toBe(200)
    await change(who.id, { sessions_valid_from: opened + 1 })
    expect((await me(who.token)).body.code).toBe('session_invalid')
  })

  test('one from before proofs were kept counts as proven when it was opened', async () => {
    const who = await app.user('from-before')
    await app.deps.db.query.updateTable('sessions').set({ verified_at: null }).where('user_id', '=', who.id).execute()
    const begin = () => call('POST', '/api/user/second-factor/totp', who.token)
    app.clock.advance(10 * MINUTE_MS - 1)
    expect((await begin()).status).toBe(200)
    app.clock.advance(1)
    expect((await begin()).body.code).toBe('step_up_required')
  })
})

describe('proving again that it is he', () => {
  interface Options extends Failure {
    methods: string[]
    fresh_until: string
    publicKey?: RequestOptions
  }
  const options = (token: string) => call<Options>('POST', '/api/user/reauth/options', token)
  const reauth = (token: string, proof: object) => call<Failure & { fresh_until: string }>('POST', '/api/user/reauth', token, proof)

  test('offers what the account has: with an app not the password, without anything nothing', async () => {
    const who = await app.user('offered')
    const opened = app.clock.now()
    const methods = async () => (await options(who.token)).body.methods
    expect((await options(who.token)).body).toEqual({ methods: ['password'], fresh_until: isoTime(opened + 10 * MINUTE_MS) } as Options)
    await enrolled(who)
    expect((await options(who.token)).body).toMatchObject({
      methods: ['passkey', 'password'],
      publicKey: { allowCredentials: [{ type: 'public-key' }] },
    })
    await authenticatorApp(who)
    expect(await methods()).toEqual(['passkey', 'code'])
    await withoutPassword(who.id)
    expect(await methods()).toEqual(['passkey', 'code'])
    const bare = await app.user('bare')
    await withoutPassword(bare.id)
    expect((await options(bare.token)).body.methods).toEqual([])
    expect((await reauth(bare.token, { password: 'x' })).body.code).toBe('second_factor_failed')
  })

  test('takes one proof, says until when it counts, and is on record with the method, never with the proof', async () => {
    const who = await app.user('prover')
    for (const proof of [{}, { password: '' }, { code: '', password: null }])
      expect((await reauth(who.token, proof)).body.error).toBe('one of credential, code and password is required')
    expect((await reauth(who.token, { password: 'wrong' })).body.code).toBe('password_current_wrong')
    app.clock.advance(MINUTE_MS)
    const { status, body } = await reauth(who.token, { password: who.password })
    expect([status, body.fresh_until]).toEqual([200, isoTime(app.clock.now() + 10 * MINUTE_MS)])
    expect((await options(who.token)).body.fresh_until).toBe(body.fresh_until)
    const code = await authenticatorApp(who)
    expect((await reauth(who.token, { code: code() })).status).toBe(200)
    const records = await audited(who.id)
    expect(records.map(([action]) => action)).toEqual(['reauth', 'totp_enable', 'reauth'])
    expect([JSON.stringify(records[0]?.[1]), JSON.stringify(records[2]?.[1])]).toMatchObject([
      expect.stringContaining('password'),
      expect.stringContaining('code'),
    ])
    expect(JSON.stringify(records)).not.toContain(who.password)
  })

  test('of one session leaves another of the same user as stale as it was', async () => {
    const who = await app.user('two-browsers')
    const other = await login(app, 'two-browsers', who.password)
    app.clock.advance(10 * MINUTE_MS)
    await reauth(who.token, { password: who.password })
    expect((await call('POST', '/api/user/second-factor/totp', other)).body.code).toBe('step_up_required')
    expect((await call('POST', '/api/user/second-factor/totp', who.token)).status).toBe(200)
  })

  test('takes ten wrong passwords an hour together with sign-in, then the right one waits too; a right one forgets them', async () => {
    const who = await app.user('guessed')
    for (let n = 0; n < 9; n += 1) expect((await reauth(who.token, { password: 'wrong' })).status).toBe(400)
    expect((await reauth(who.token, { password: who.password })).status).toBe(200)
    for (let n = 0; n < 10; n += 1) expect((await reauth(who.token, { password: 'wrong' })).status).toBe(400)
    expect((await reauth(who.token, { password: who.password })).status).toBe(429)
    const signIn = await app.api('POST', '/auth/password/login', { identifier: 'guessed', password: who.password }, null)
    expect(signIn.status).toBe(429)
  }, 20_000)

  test('takes no passkey while passkeys are switched off', async () => {
    const who = await app.user('switched-off')
    const authenticator = await enrolled(who)
    const { publicKey } = (await options(who.token)).body
    const credential = authenticator.get(publicKey as RequestOptions, handleOf(who))
    await set({ passkey_enabled: false })
    expect((await options(who.token)).body.publicKey).toBeUndefined()
    expect((await reauth(who.token, { credential })).body.code).toBe('passkey_disabled')
    await set({ passkey_enabled: true })
    expect((await reauth(who.token, { credential })).status).toBe(200)
  })
})

test('whom the site asks for a fresh proof, by its setting and what the account has', async () => {
  const [plain, keyed, appUser] = [
    await app.user('plain-admin', 'admin'),
    await app.user('keyed-admin', 'admin'),
    await app.user('app-admin', 'admin'),
  ]
  await enrolled(keyed)
  await authenticatorApp(appUser)
  app.clock.advance(10 * MINUTE_MS)
  const asked = async ({ token }: TestUser): Promise<boolean> =>
    (await call('DELETE', '/api/users/99999', token)).body.code === 'step_up_required'
  const table: Record<string, boolean[]> = {}
  for (const accounts of ['nobody', 'totp', 'second_factor', 'everyone']) {
    await set({ step_up_accounts: accounts })
    table[accounts] = [await asked(plain), await asked(keyed), await asked(appUser)]
  }
  expect(table).toEqual({
    nobody: [false, false, false],
    totp: [false, false, true],
    second_factor: [false, true, true],
    everyone: [true, true, true],
  })
  await set({ step_up_accounts: '' })
  // The keys of the account itself are asked for whatever the site says.
  expect((await call('POST', '/api/user/second-factor/totp', plain.token)).body.code).toBe('step_up_required')
})
