import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { Secret, TOTP } from 'otpauth'
import { createTestApp, login, type Answer, type TestApp, type TestUser } from '../../../test/app.ts'
import { handleOf, PASSKEY_SETTINGS, passkeyBrowser, type Failure } from '../../../test/passkeys.ts'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp({ settings: PASSKEY_SETTINGS })
})
afterAll(() => app.close())
// Limits are a minute's, and the code of a new step is a new one.
beforeEach(() => app.clock.advance(120_000))

const STALE_MS = 10 * 60_000
const HOUR_MS = 60 * 60_000

interface Enrolled {
  user: TestUser
  recovery: string[]
  code(): string
}

const codeOf = (secret: string): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: app.clock.now() })
const enrol = async (user: TestUser): Promise<Enrolled> => {
  const begun = await app.api<{ secret: string; otpauth_url: string }>('POST', '/api/user/second-factor/totp', undefined, user.token)
  const { secret } = begun.body
  const path = '/api/user/second-factor/totp/confirm'
  const confirmed = await app.api<{ recovery_codes: string[] }>('POST', path, { code: codeOf(secret) }, user.token)
  if (confirmed.status !== 200) throw new Error(JSON.stringify(confirmed.body))
  app.clock.advance(30_000)
  return { user, recovery: confirmed.body.recovery_codes, code: () => codeOf(secret) }
}
const password = ({ username, password: secret }: TestUser) =>
  app.api<Failure & { challenge: string; methods: string[] }>(
    'POST',
    '/auth/password/login',
    { identifier: username, password: secret },
    null,
  )
const finish = (challenge: string, code: string) =>
  app.api<Failure & { token: string }>('POST', '/auth/second-factor', { challenge, code }, null)
const reauth = (token: string, proof: object) => app.api<Failure>('POST', '/api/user/reauth', proof, token)
const state = (token: string) =>
  app.api<{ totp_enabled: boolean; recovery_codes_left: number }>('GET', '/api/user/second-factor', undefined, token)
const codesOf = (answers: Answer<Failure>[]): string[] => answers.map(({ status, body }) => (status === 200 ? 'ok' : body.code)).toSorted()

describe('an authenticator app', () => {
  test('asks every password sign-in for its code; the answer says so and gives no token', async () => {
    const { user, code } = await enrol(await app.user('ada'))
    const asked = await password(user)
    expect([asked.status, asked.body.code, asked.body.methods]).toEqual([403, 'second_factor_required', ['code']])
    expect(asked.body.error).toContain('authenticator app')
    expect(JSON.stringify(asked.body)).not.toContain('token"')
    expect((await finish(asked.body.challenge, '000000')).body.code).toBe('second_factor_failed')
    const done = await finish(asked.body.challenge, code())
    expect((await app.api<{ id: number }>('GET', '/api/user/me', undefined, done.body.token)).body.id).toBe(user.id)
    expect((await finish(asked.body.challenge, code())).body.code).toBe('second_factor_expired')
  })

  test('a code works once, whatever number of sign-ins try it at once', async () => {
    const { user, code } = await enrol(await app.user('replay'))
    const challenges = await Promise.all([password(user), password(user), password(user), password(user)])
    const answers = await Promise.all(challenges.map(({ body }) => finish(body.challenge, code())))
    expect(codesOf(answers)).toEqual(['ok', 'second_factor_used', 'second_factor_used', 'second_factor_used'])
    app.clock.advance(90_000)
    const old = code()
    app.clock.advance(90_000)
    const { body } = await password(user)
    expect((await finish(body.challenge, old)).body.code).toBe('second_factor_failed')
  })

  test('recovery codes work once each, are kept as hashes, and new ones end the old', async () => {
    const { user, recovery } = await enrol(await app.user('lost'))
    expect(recovery).toHaveLength(10)
    const [first = '', second = ''] = recovery
    const stored = await app.deps.db.query.selectFrom('recovery_codes').select('code_hash').where('user_id', '=', user.id).execute()
    expect(JSON.stringify(stored)).not.toContain(first.slice(0, 4))
    const tries = await Promise.all([password(user), password(user), password(user)])
    const answers = await Promise.all(tries.map(({ body }) => finish(body.challenge, first.toLowerCase().replaceAll('-', ' '))))
    expect(codesOf(answers)).toEqual(['ok', 'second_factor_failed', 'second_factor_failed'])
    expect((await state(user.token)).body.recovery_codes_left).toBe(9)
    await app.api('POST', '/api/user/second-factor/recovery-codes', undefined, user.token)
    const { body } = await password(user)
    expect((await finish(body.challenge, second)).body.code).toBe('second_factor_failed')
  })

  test('ten wrong codes an hour, then the right one waits too', async () => {
    const { user, code } = await enrol(await app.user('guessed'))
    const { body } = await password(user)
    const wrong: number[] = []
    for (let n = 0; n < 11; n += 1) wrong.push((await finish(body.challenge, String(100_000 + n))).status)
    expect(wrong).toEqual([...Array.from({ length: 10 }, () => 400), 429])
    expect((await finish(body.challenge, code())).status).toBe(429)
    app.clock.advance(HOUR_MS)
    const again = await password(user)
    expect((await finish(again.body.challenge, code())).status).toBe(200)
  })

  test('a half-done sign-in ends after five minutes, with the password, and with the account', async () => {
    const { user, code } = await enrol(await app.user('half'))
    const late = await password(user)
    app.clock.advance(5 * 60_000)
    expect((await finish(late.body.challenge, code())).body.code).toBe('second_factor_expired')
    const changed = await password(user)
    const input = { new_password: 'another long password', current_password: user.password }
    expect((await app.api('POST', '/api/user/password/change', input, user.token)).status).toBe(200)
    expect((await finish(changed.body.challenge, code())).body.code).toBe('second_factor_expired')
  })

  test('is switched on and off only with a fresh proof; the password alone is none once it is on', async () => {
    const user = await app.user('stale')
    app.clock.advance(STALE_MS)
    const begin = () => app.api<Failure & { methods: string[] }>('POST', '/api/user/second-factor/totp', undefined, user.token)
    const refused = await begin()
    expect([refused.status, refused.body.code, refused.body.methods]).toEqual([403, 'step_up_required', ['password']])
    expect((await reauth(user.token, { password: 'wrong' })).status).toBe(400)
    expect((await reauth(user.token, { password: user.password })).status).toBe(200)
    const { code } = await enrol(user)
    expect((await begin()).status).toBe(409)
    app.clock.advance(STALE_MS)
    const off = () => app.api<Failure>('DELETE', '/api/user/second-factor/totp', undefined, user.token)
    expect((await off()).body.code).toBe('step_up_required')
    expect((await reauth(user.token, { password: user.password })).body.code).toBe('second_factor_failed')
    expect((await reauth(user.token, { code: code() })).status).toBe(200)
    expect((await off()).status).toBe(200)
    expect((await state(user.token)).body).toMatchObject({ totp_enabled: false, recovery_codes_left: 0 })
    expect((await password(user)).status).toBe(200)
  })
})

describe('step-up', () => {
  let targets = 0
  const guarded = async (token: string): Promise<Record<string, number>> => {
    targets += 1
    const target = await app.user(`target${targets}`)
    const calls: [string, string, object | undefined][] = [
      ['PUT', `/api/users/${target.id}`, { balance: '1' }],
      ['PUT', `/api/users/${target.id}`, { role: 'support' }],
      ['POST', `/api/users/${target.id}/adjustments`, { amount: '1', reason: 'x' }],
      ['POST', '/api/payment/orders/none/resolve', { outcome: 'paid', reason: 'x' }],
      ['POST', '/api/payment/orders/none/refund', { reason: 'x' }],
      ['PUT', '/api/settings', { smtp_password: 'a new secret' }],
      ['PUT', '/api/settings', { step_up_minutes: '11' }],
      ['PUT', '/api/channels/999', { api_key: 'a new secret' }],
      ['POST', '/api/user/passkeys/register/options', undefined],
      ['DELETE', '/api/user/passkeys/999', undefined],
      ['DELETE', `/api/users/${target.id}`, undefined],
    ]
    const statuses: Record<string, number> = {}
    for (const [method, path, body] of calls) {
      const { status, body: answer } = await app.api<Failure>(method, path, body, token)
      const name = `${method} ${path.replace(String(target.id), ':id')} ${Object.keys(body ?? {}).join()}`
      statuses[name] = answer.code === 'step_up_required' ? 403 : status
    }
    return statuses
  }

  test('guards money and admin actions of accounts with an authenticator app, for ten minutes after each proof', async () => {
    const { user, code } = await enrol(await app.user('boss', 'owner'))
    app.clock.advance(STALE_MS)
    expect(new Set(Object.values(await guarded(user.token)))).toEqual(new Set([403]))
    // What forms send back unchanged asks for nothing.
    expect((await app.api('PUT', '/api/settings', { smtp_password: '********', footer_text: 'x' }, user.token)).status).toBe(200)
    expect((await app.api('GET', '/api/users', undefined, user.token)).status).toBe(200)
    expect((await reauth(user.token, { code: code() })).status).toBe(200)
    expect(new Set(Object.values(await guarded(user.token)))).toEqual(new Set([200, 404]))
    await app.api('PUT', '/api/settings', { step_up_minutes: '' }, user.token)
    app.clock.advance(STALE_MS)
    expect((await app.api('DELETE', '/api/users/999', undefined, user.token)).status).toBe(403)
    const elsewhere = await password(user)
    const other = (await finish(elsewhere.body.challenge, code())).body.token
    expect((await app.api('DELETE', '/api/users/999', undefined, other)).status).toBe(404)
    expect((await app.api('DELETE', '/api/users/999', undefined, user.token)).status).toBe(403)
  })

  test('asks nothing of an account without one, unless the site says so', async () => {
    const plain = await app.user('plain', 'owner')
    app.clock.advance(STALE_MS)
    expect(Object.values(await guarded(plain.token))).not.toContain(403)
    await app.api('PUT', '/api/settings', { step_up_accounts: 'everyone', step_up_minutes: '' }, plain.token)
    expect((await app.api('DELETE', '/api/users/999', undefined, plain.token)).status).toBe(403)
    const fresh = await login(app, 'plain', plain.password)
    expect((await app.api('PUT', '/api/settings', { step_up_accounts: '' }, fresh)).status).toBe(200)
  })

  test('a passkey confirms with a fresh answer of its own: not one for sign-in, not one of another, not one twice (S9)', async () => {
    const { createOptions, getOptions, register, enrolled } = passkeyBrowser(() => app)
    const [user, other] = [await app.user('keyed'), await app.user('keyed2')]
    const [mine, his] = [await enrolled(user), await enrolled(other)]
    const options = async (token: string) =>
      (
        await app.api<{ methods: string[]; publicKey: { challenge: string; rpId: string } }>(
          'POST',
          '/api/user/reauth/options',
          undefined,
          token,
        )
      ).body
    expect((await options(user.token)).methods).toEqual(['passkey', 'password'])
    const credential = mine.get((await options(user.token)).publicKey, handleOf(user))
    const foreign = his.get((await options(user.token)).publicKey, handleOf(other))
    expect((await reauth(user.token, { credential: mine.get(await getOptions(), handleOf(user)) })).body.code).toBe('passkey_challenge')
    expect((await reauth(user.token, { credential: foreign })).body.code).toBe('passkey_foreign')
    const old = mine.get((await options(user.token)).publicKey, handleOf(user), { flags: 1 })
    expect((await reauth(user.token, { credential: old })).body.code).toBe('passkey_verification')
    expect(codesOf(await Promise.all([1, 2, 3].map(() => reauth(user.token, { credential }))))).toEqual([
      'ok',
      'passkey_challenge',
      'passkey_challenge',
    ])
    expect((await register(user, mine.create(await createOptions(user)))).status).toBe(409)
  })
})

describe('sessions (S10)', () => {
  test('password change, demotion, locking, deletion, logout and an administrator end every token at once', async () => {
    const me = async (token: string): Promise<number> => (await app.api('GET', '/api/user/me', undefined, token)).status
    const ends: Record<string, (user: TestUser, token: string) => Promise<unknown>> = {
      password: (user, token) =>
        app.api('POST', '/api/user/password/change', { new_password: 'another long password', current_password: user.password }, token),
      demotion: ({ id }) => app.api('PUT', `/api/users/${id}`, { role: 'user' }),
      lock: ({ id }) => app.api('PUT', `/api/users/${id}`, { disabled: true }),
      deletion: ({ id }) => app.api('DELETE', `/api/users/${id}`),
      administrator: ({ id }) => app.api('DELETE', `/api/users/${id}/sessions`),
    }
    for (const [name, end] of Object.entries(ends)) {
      app.clock.advance(61_000)
      const user = await app.user(`ends${name}`, 'support')
      const second = await login(app, user.username, user.password)
      expect([await me(user.token), await me(second)]).toEqual([200, 200])
      await end(user, second)
      expect({ name, tokens: [await me(user.token), await me(second)] }).toEqual({ name, tokens: [401, 401] })
    }
  })

  test('a hundred a user; those before end, and the sweep leaves only the living', async () => {
    const user = await app.user('many')
    const { query } = app.deps.db
    for (let n = 0; n < 104; n += 1) {
      if (n % 5 === 0) app.clock.advance(61_000)
      await login(app, 'many', user.password)
    }
    const rows = await query.selectFrom('sessions').select('id').where('user_id', '=', user.id).execute()
    expect(rows).toHaveLength(100)
    expect((await app.api('GET', '/api/user/me', undefined, user.token)).status).toBe(401)
  }, 20_000)
})
