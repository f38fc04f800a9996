import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { Secret, TOTP } from 'otpauth'
import { createTestApp, type TestApp, type TestUser } from '../../../test/app.ts'
import type { Failure } from '../../../test/passkeys.ts'
import { isoTime } from '../../lib/clock.ts'

/** A database of its own on a busy machine. */
const BUSY_MS = 30_000
let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
}, BUSY_MS)
afterAll(() => app.close(), BUSY_MS)
// Limits are a minute's, and the code of a new step is a new one.
beforeEach(() => app.clock.advance(120_000))

const codeOf = (secret: string, at = app.clock.now()): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: at })
/** Another code than this one, of the same form. */
const wrong = (code: string): string => (code === '000000' ? '000001' : '000000')
type Body = Failure & { secret: string; otpauth_url: string; recovery_codes: string[]; token: string; challenge: string }
const call = (method: string, path: string, who: TestUser | null, body?: object) => app.api<Body>(method, path, body, who?.token ?? null)
const begin = (who: TestUser) => call('POST', '/api/user/second-factor/totp', who)
const confirm = (who: TestUser, code: string) => call('POST', '/api/user/second-factor/totp/confirm', who, { code })
const state = async (who: TestUser) => (await app.api<Record<string, unknown>>('GET', '/api/user/second-factor', undefined, who.token)).body
const said = ({ status, body }: { status: number; body: Failure }): unknown => (status === 200 ? 200 : [status, body.code])
const OFF = { totp_enabled: false, totp_enabled_at: null, recovery_codes_left: 0 }
const enrol = async (who: TestUser) => {
  const { secret } = (await begin(who)).body
  const { recovery_codes: recovery } = (await confirm(who, codeOf(secret))).body
  app.clock.advance(30_000)
  return { secret, recovery }
}
const password = async ({ username, password: secret }: TestUser) =>
  (await call('POST', '/auth/password/login', null, { identifier: username, password: secret })).body.challenge
const finish = (challenge: string, code: string) => call('POST', '/auth/second-factor', null, { challenge, code })

describe('switching an authenticator app on', () => {
  test('takes a first code of it; a wrong one, one of long ago and one of an older secret leave it off', async () => {
    const who = await app.user('beginner')
    expect(said(await confirm(who, '000000'))).toEqual([409, 'totp_not_begun'])
    const old = (await begin(who)).body.secret
    const { secret, otpauth_url: url } = (await begin(who)).body
    expect(new URL(url).searchParams.get('secret')).toBe(secret)
    expect(decodeURIComponent(url)).toContain('beginner@example.test')
    const now = app.clock.now()
    const odd = [
      wrong(codeOf(secret)),
      codeOf(old),
      codeOf(secret, now - 90_000),
      codeOf(secret, now + 90_000),
      '',
      'x',
      '12345',
      '1234567',
    ]
    for (const code of odd) expect([code, said(await confirm(who, code))]).toEqual([code, [400, 'second_factor_failed']])
    expect(await state(who)).toEqual(OFF)
    expect((await call('POST', '/auth/password/login', null, { identifier: who.username, password: who.password })).status).toBe(200)
    expect(said(await confirm(who, ` ${codeOf(secret).slice(0, 3)} ${codeOf(secret).slice(3)}`))).toBe(200)
    expect(await state(who)).toEqual({
      totp_enabled: true,
      totp_enabled_at: isoTime(app.clock.now()),
      recovery_codes_left: 10,
    })
  })

  test('codes half a minute early or late count, as clocks of phones go wrong by so much', async () => {
    for (const [name, offset] of [
      ['early', 30_000],
      ['late', -30_000],
    ] as const) {
      const who = await app.user(name)
      const { secret } = (await begin(who)).body
      expect([name, said(await confirm(who, codeOf(secret, app.clock.now() + offset)))]).toEqual([name, 200])
    }
  })

  test('happens once: again, or twice at the same time, is refused and makes no new recovery codes', async () => {
    const who = await app.user('twice')
    const { secret } = (await begin(who)).body
    const code = codeOf(secret)
    const answers = await Promise.all([confirm(who, code), confirm(who, code), confirm(who, code)])
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    for (const { status, body } of answers) if (status !== 200) expect(['second_factor_used', 'totp_enabled']).toContain(body.code)
    app.clock.advance(30_000)
    expect(said(await confirm(who, codeOf(secret)))).toEqual([409, 'totp_enabled'])
    expect(said(await begin(who))).toEqual([409, 'totp_enabled'])
    const [recovery = ''] = answers.flatMap(({ body }) => body.recovery_codes ?? [])
    expect(said(await finish(await password(who), recovery))).toBe(200)
  })

  test('ten wrong codes an hour, then the right one waits too', async () => {
    const who = await app.user('guesser')
    const { secret } = (await begin(who)).body
    for (let n = 0; n < 10; n += 1) await confirm(who, wrong(codeOf(secret)))
    expect((await confirm(who, codeOf(secret))).status).toBe(429)
    expect(await state(who)).toEqual(OFF)
  })

  test('an account without an address is named by its user name in the app', async () => {
    const who = await app.user('addressless')
    await app.deps.db.query.updateTable('users').set({ email: '' }).where('id', '=', who.id).execute()
    expect(decodeURIComponent((await begin(who)).body.otpauth_url)).toContain(':addressless?')
  })
})

describe('without an authenticator app', () => {
  test('there is nothing to switch off, and no recovery codes to renew', async () => {
    const who = await app.user('without')
    expect(said(await call('DELETE', '/api/user/second-factor/totp', who))).toEqual([409, 'totp_not_begun'])
    expect(said(await call('POST', '/api/user/second-factor/recovery-codes', who))).toEqual([409, 'totp_not_begun'])
    await begin(who)
    expect(said(await call('POST', '/api/user/second-factor/recovery-codes', who))).toEqual([409, 'totp_not_begun'])
    expect(await state(who)).toEqual(OFF)
  })

  test('no code proves anything, not even of a secret that waits for its first', async () => {
    const who = await app.user('codeless')
    const reauth = (code: string) => call('POST', '/api/user/reauth', who, { code })
    expect(said(await reauth('000000'))).toEqual([400, 'second_factor_failed'])
    const { secret } = (await begin(who)).body
    expect(said(await reauth(codeOf(secret)))).toEqual([400, 'second_factor_failed'])
    expect(said(await reauth('AAAA-AAAA-AAAA-AAAA'))).toEqual([400, 'second_factor_failed'])
  })
})

describe('what is written of it', () => {
  test('on, new codes and off: a row of the audit log each, without any secret', async () => {
    const who = await app.user('audited')
    const { secret, recovery } = await enrol(who)
    const renewed = (await call('POST', '/api/user/second-factor/recovery-codes', who)).body.recovery_codes
    expect((await call('DELETE', '/api/user/second-factor/totp', who)).status).toBe(200)
    const rows = await app.deps.db.query.selectFrom('audit_log').selectAll().where('actor_user_id', '=', who.id).orderBy('id').execute()
    expect(rows.map(({ action, object_type: type, object_id: id }) => [action, type, id])).toEqual(
      ['totp_enable', 'recovery_codes', 'totp_disable'].map((action) => [action, 'user', String(who.id)]),
    )
    for (const told of [secret, ...recovery, ...renewed]) expect(JSON.stringify(rows)).not.toContain(told)
    expect(new Set([...recovery, ...renewed]).size).toBe(20)
    for (const code of renewed) expect(code).toMatch(/^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/)
  })
})

describe('one half-done sign-in', () => {
  test('lets one in, however many right codes come for it at once; the code that came late is not used up', async () => {
    const who = await app.user('raced')
    const { secret, recovery } = await enrol(who)
    const [first = '', second = ''] = recovery
    const challenge = await password(who)
    const answers = await Promise.all([finish(challenge, first), finish(challenge, second), finish(challenge, codeOf(secret))])
    expect(answers.map(said).filter((answer) => answer === 200)).toHaveLength(1)
    for (const answer of answers) if (answer.status !== 200) expect(said(answer)).toEqual([400, 'second_factor_expired'])
    const used = answers.findIndex(({ status }) => status === 200)
    expect((await state(who))['recovery_codes_left']).toBe(used === 2 ? 10 : 9)
    const unused = [first, second, codeOf(secret)].filter((_, n) => n !== used)
    for (const code of unused) expect(said(await finish(await password(who), code))).toBe(200)
  })

  test('of somebody else’s account takes no code of one’s own', async () => {
    const [mine, his] = [await app.user('owner-of-code'), await app.user('owner-of-account')]
    const [{ secret }] = [await enrol(mine), await enrol(his)]
    expect(said(await finish(await password(his), codeOf(secret)))).toEqual([400, 'second_factor_failed'])
    expect(said(await finish('made-up', codeOf(secret)))).toEqual([400, 'second_factor_expired'])
  })

  test('of an account that was locked meanwhile opens nothing', async () => {
    const who = await app.user('locked-meanwhile')
    const { secret } = await enrol(who)
    const challenge = await password(who)
    await app.deps.db.query.updateTable('users').set({ disabled_at: app.clock.now() }).where('id', '=', who.id).execute()
    expect(said(await finish(challenge, codeOf(secret)))).toEqual([403, 'account_disabled'])
  })
})
