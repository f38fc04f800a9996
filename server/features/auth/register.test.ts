import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { Client } from 'pg'
import { createTestApp, login, type TestApp } from '../../../test/app.ts'
import { until } from '../../../test/served.ts'
import { smtpSink, type SmtpSink } from '../../../test/smtp.ts'
import { deliverMails } from '../mail/service.ts'
import { createUser } from '../users/service.ts'

let app: TestApp
let sink: SmtpSink
beforeAll(async () => {
  sink = await smtpSink()
  app = await createTestApp({
    settings: sink.settings,
    config: { bootstrapAdmins: { emails: ['boss@example.test', 'early@example.test'], oidcSubs: [] } },
  })
})
beforeEach(async () => {
  app.clock.advance(61 * 60_000)
  sink.mails.length = 0
  await app.deps.db.query.deleteFrom('mails').execute()
  await set({ email_verification_required: false, password_registration_enabled: true, registration_email_suffixes: '' })
})
afterAll(async () => {
  await app.close()
  await sink.close()
})

const set = (settings: Record<string, unknown>) => app.api('PUT', '/api/settings', settings)
interface Answer {
  error?: string
  code?: string
  token?: string
  user?: Record<string, unknown>
}
const form = (name: string, more: object = {}) => ({
  username: name,
  email: `${name}@example.test`,
  password: 'a long enough password',
  ...more,
})
const register = (body: object) => app.api<Answer>('POST', '/auth/password/register', body, null)
const askCode = (email: string) => app.api<Answer>('POST', '/auth/password/email-code', { email }, null)
const minute = (): void => app.clock.advance(61_000)
async function codeOf(email: string): Promise<string> {
  expect(await askCode(email)).toMatchObject({ status: 200, body: { message: 'Verification code sent' } })
  await deliverMails(app.deps)
  return sink.codeFor(email) ?? ''
}

/** On PostgreSQL: until another transaction waits for one that is open. On SQLite all wait in line anyway. */
async function untilItWaits(): Promise<void> {
  if (app.database.url === undefined) return
  const watcher = new Client({ connectionString: app.database.url })
  await watcher.connect()
  const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  expect(await until(async () => (await watcher.query(waiting)).rows.length > 0)).toBe(true)
  await watcher.end()
}

describe('registration', () => {
  test('makes an account with default group, nothing on it, a referral code and a session', async () => {
    const { status, body } = await register(form('plain'))
    expect(status).toBe(200)
    expect(body.user).toMatchObject({ username: 'plain', email_verified: false, balance: '0', is_admin: false, role: 'user' })
    expect(body.user?.['referral_code']).toMatch(/^[A-Z2-7]{13}$/)
    const me = await app.api<{ group: { name: string }; groups: unknown[] }>('GET', '/api/user/me', undefined, body.token)
    expect(me.body.group.name).toBe('user')
    expect(me.body.groups).toHaveLength(1)
    const row = await app.deps.db.query.selectFrom('users').select('password_hash').where('username', '=', 'plain').executeTakeFirst()
    expect(row?.password_hash).toStartWith('$argon2id$')
    await login(app, 'PLAIN@example.test', 'a long enough password')
  })

  test.each([
    [{ username: '' }, 'username is required'],
    [{ username: 'ab' }, 'username is too short'],
    [{ email: 'nobody' }, 'valid email is required'],
    [{ email: 'x<victim@a.example' }, 'valid email is required'],
    [{ email: null }, 'valid email is required'],
    [{ password: '1234567' }, 'password must be at least 8 characters'],
    [{ username: 'owner' }, 'username already exists'],
    [{ email: 'OWNER@example.test' }, 'email already exists'],
  ])('refuses %j in the words of the contract', async (change, text) => {
    const { status, body } = await register({ ...form('faulty'), ...change })
    expect([status, body.error]).toEqual([400, text])
  })

  test('is closed while the setting says so, and open only after setup', async () => {
    await set({ password_registration_enabled: false })
    expect(await register(form('closed'))).toMatchObject({ status: 400, body: { error: 'password registration is disabled' } })
    expect(await askCode('closed@example.test')).toMatchObject({ status: 400, body: { error: 'password registration is disabled' } })
    const fresh = await createTestApp({ setUp: false })
    const early = await fresh.api('POST', '/auth/password/register', form('early'), null)
    expect([early.status, early.body]).toMatchObject([409, { error: 'Initial setup is required' }])
    await fresh.close()
  })

  test('takes only mail domains that are allowed, subdomains with them', async () => {
    await set({ registration_email_suffixes: 'corp.test, @other.test' })
    const answers = []
    for (const email of ['a@corp.test', 'b@eu.corp.test', 'c@other.test', 'd@notcorp.test', 'e@corp.test.evil.test'])
      answers.push((await register(form(`dom${email.charAt(0)}`, { email }))).body.code ?? 'ok')
    expect(answers).toEqual(['ok', 'ok', 'ok', 'email_domain', 'email_domain'])
    expect((await askCode('f@elsewhere.test')).body.code).toBe('email_domain')
  })

  test('keeps who invited, by form or cookie, however the code is typed; the cookie goes', async () => {
    await set({ referral_enabled: true })
    const { body } = await register(form('inviter'))
    const code = String(body.user?.['referral_code'])
    const typed = `${code.slice(0, 4).toLowerCase()}-${code.slice(4)} `
    expect((await register(form('guest1', { referral_code: typed }))).body.user?.['referrer_id']).toBe(body.user?.['id'])
    const answer = await app.fetch('/auth/password/register', {
      method: 'POST',
      headers: { cookie: `flai_referral_code=${code}` },
      body: JSON.stringify(form('guest2')),
    })
    expect(((await answer.json()) as Answer).user?.['referrer_id']).toBe(body.user?.['id'])
    expect(answer.headers.get('set-cookie')).toStartWith('flai_referral_code=; Path=/auth; Max-Age=0')
    expect((await register(form('guest3', { referral_code: 'UNKNOWN' }))).body.user?.['referrer_id']).toBeUndefined()
    await set({ referral_enabled: false })
    minute()
    expect((await register(form('guest4', { referral_code: code }))).body.user?.['referrer_id']).toBeUndefined()
  })

  test('of the same name twenty times at once makes one account, and never an inside error', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        app.fetch(
          '/auth/password/register',
          { method: 'POST', body: JSON.stringify(form('racer', { email: `racer${n}@example.test` })) },
          `10.0.0.${n}`,
        ),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(19)
  })

  test.each([
    ['name', form('both', { email: 'late@example.test' }), 'username already exists'],
    ['address', form('late-one', { email: 'both@example.test' }), 'email already exists'],
  ])('who loses the race for a %s hears the same as who comes late', async (_, late, text) => {
    await app.deps.db.query.deleteFrom('users').where('username', '=', 'both').execute()
    const first = {
      username: 'both',
      email: 'both@example.test',
      emailVerified: false,
      passwordHash: null,
      role: 'user',
      referrerId: null,
    } as const
    let second: ReturnType<typeof register> | undefined
    await app.deps.db.query.transaction().execute(async (tx) => {
      await createUser(tx, first, app.clock.now())
      second = register(late)
      await untilItWaits()
    })
    expect(await second).toMatchObject({ status: 400, body: { error: text } })
  })

  test('five a minute from one address', async () => {
    const codes = []
    for (let n = 0; n < 6; n += 1) codes.push((await register({ email: `n${n}@example.test` })).status)
    expect(codes).toEqual([400, 400, 400, 400, 400, 429])
    expect((await askCode('n5@example.test')).status).toBe(200)
    const refused = await app.api<{ retry_after: number }>('POST', '/auth/password/register', form('n6'), null)
    expect([refused.status, refused.body.retry_after, refused.headers.get('retry-after')]).toEqual([429, 60, '60'])
  })

  test('three a minute for one address, from wherever and however it is written', async () => {
    const tries = []
    for (const [n, email] of ['Same@example.test', 'same@example.test', ' same@example.test ', 'SAME@EXAMPLE.TEST'].entries()) {
      const init = { method: 'POST', body: JSON.stringify(form('x', { email })) }
      tries.push((await app.fetch('/auth/password/register', init, `10.3.0.${n}`)).status)
    }
    expect(tries).toEqual([400, 400, 400, 429])
  })
})

describe('with a mailed code', () => {
  test('the address is proven, and a named administrator becomes one; without it he does not (W22)', async () => {
    expect((await register(form('early'))).body.user).toMatchObject({ role: 'user', email_verified: false })
    await set({ email_verification_required: true })
    const email_code = await codeOf('boss@example.test')
    expect(email_code).toMatch(/^\d{6}$/)
    const boss = await register(form('boss', { email_code }))
    expect(boss.body.user).toMatchObject({ role: 'admin', email_verified: true })
    const audit = await app.deps.db.query.selectFrom('audit_log').selectAll().where('action', '=', 'bootstrap_admin').execute()
    expect(audit).toMatchObject([{ actor_user_id: null, object_id: String(boss.body.user?.['id']) }])
  })

  test('a wrong, foreign, used or old code is refused', async () => {
    await set({ email_verification_required: true })
    const email_code = await codeOf('proof@example.test')
    const wrong = email_code === '000000' ? '000001' : '000000'
    const answers = []
    for (const body of [form('proof', { email_code: wrong }), form('other', { email_code }), form('proof'), form('proof', { email_code })])
      answers.push((await register(body)).body.error ?? 'ok')
    const invalid = 'invalid or expired email verification code'
    expect(answers).toEqual([invalid, invalid, invalid, 'ok'])
    minute()
    expect((await register(form('proof', { email_code }))).body.error).toBe(invalid)
    const old = await codeOf('late@example.test')
    app.clock.advance(10 * 60_000)
    expect((await register(form('late', { email_code: old }))).body.error).toBe(invalid)
  })

  test('a code takes five tries, then even the right one is refused', async () => {
    await set({ email_verification_required: true })
    const email_code = await codeOf('guess@example.test')
    const wrong = email_code === '000000' ? '000001' : '000000'
    for (let n = 0; n < 5; n += 1) {
      await register(form('guess', { email_code: wrong }))
      minute()
    }
    expect((await register(form('guess', { email_code }))).body.code).toBe('code_invalid')
  })

  test('an address that has an account gets a notice, and the same answer (W21)', async () => {
    await set({ email_verification_required: true })
    const known = await askCode('owner@example.test')
    const unknown = await askCode('nobody@example.test')
    expect([known.status, known.body]).toEqual([unknown.status, unknown.body])
    await deliverMails(app.deps)
    const withCode = Object.fromEntries(sink.mails.map(({ to, text }) => [to[0], /^\d{6}$/m.test(text)]))
    expect(withCode).toEqual({ 'nobody@example.test': true, 'owner@example.test': false })
    expect((await register(form('intruder', { email: 'owner@example.test', email_code: '123456' }))).body.code).toBe('code_invalid')
  })

  test('at most three mails to an address in ten minutes, whoever asks and for whatever', async () => {
    const codes: string[] = []
    for (let n = 0; n < 5; n += 1) {
      const path = n % 2 === 0 ? '/auth/password/email-code' : '/auth/password/reset-code'
      codes.push((await app.api<Answer>('POST', path, { email: 'bombed@example.test' }, null)).body.code ?? 'ok')
      minute()
    }
    expect(codes).toEqual(['ok', 'ok', 'ok', 'too_many_requests', 'too_many_requests'])
    app.clock.advance(6 * 60_000)
    expect((await askCode('bombed@example.test')).status).toBe(200)
  })

  test('without a mail server the caller is told', async () => {
    await set({ smtp_host: '' })
    expect(await askCode('a@example.test')).toMatchObject({ status: 400, body: { error: 'SMTP is not configured' } })
    await set(sink.settings)
  })
})
