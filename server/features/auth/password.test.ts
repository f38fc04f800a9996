import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createTestApp, login, type TestApp } from '../../../test/app.ts'
import { until } from '../../../test/served.ts'
import { smtpSink, type SmtpSink } from '../../../test/smtp.ts'
import { deliverMails } from '../mail/service.ts'
import { confirmPasswordHash } from '../users/service.ts'
import { sessionsOf, signIn } from './service.ts'

let app: TestApp
let sink: SmtpSink
beforeAll(async () => {
  sink = await smtpSink()
  app = await createTestApp({ settings: sink.settings })
})
beforeEach(async () => {
  app.clock.advance(61 * 60_000)
  sink.mails.length = 0
  await app.deps.db.query.deleteFrom('mails').execute()
  await app.api('PUT', '/api/settings', sink.settings)
})
afterAll(async () => {
  await app.close()
  await sink.close()
})

interface Answer {
  error?: string
  code?: string
  message?: string
}
const NEW = 'another long password'
const me = async (token: string): Promise<number> => (await app.api('GET', '/api/user/me', undefined, token)).status
const post = (path: string, body: unknown, token: string | null = null) => app.api<Answer>('POST', path, body, token)
const change = (body: object, token: string) => post('/api/user/password/change', body, token)
const minute = (): void => app.clock.advance(61_000)
const wrongOf = (code: string): string => (code === '000000' ? '000001' : '000000')
async function mailed(path: string, email: string, body: object | undefined, token: string | null = null): Promise<string> {
  expect(await post(path, body, token)).toMatchObject({ status: 200, body: { message: 'Verification code sent' } })
  await deliveredUntil(() => sink.codeFor(email) !== undefined)
  return sink.codeFor(email) ?? ''
}
/** The server itself may be sending what is waited for. */
async function deliveredUntil(arrived: () => boolean): Promise<void> {
  const looked = async (): Promise<boolean> => {
    await deliverMails(app.deps)
    return arrived()
  }
  expect(await until(looked)).toBe(true)
}

describe('changing a password', () => {
  test('with a mailed code where mail works: every session ends, the old password with them, and a notice is sent (W55)', async () => {
    const user = await app.user('changer')
    const second = await login(app, 'changer', user.password)
    const method = await app.api('GET', '/api/user/password/method', undefined, user.token)
    expect(method.body).toEqual({ method: 'email_code', email: 'changer@example.test', password_set: true })
    const email_code = await mailed('/api/user/password/email-code', 'changer@example.test', undefined, user.token)
    const refused = []
    for (const body of [
      { new_password: 'short', email_code },
      { new_password: NEW },
      { new_password: NEW, current_password: user.password },
      { new_password: NEW, email_code: wrongOf(email_code) },
    ])
      refused.push((await change(body, user.token)).body.error)
    const invalid = 'invalid or expired email verification code'
    expect(refused).toEqual(['new password must be at least 8 characters', invalid, invalid, invalid])
    expect(await change({ new_password: NEW, email_code }, user.token)).toMatchObject({
      status: 200,
      body: { message: 'Password updated' },
    })
    expect([await me(user.token), await me(second)]).toEqual([401, 401])
    minute()
    expect((await post('/auth/password/login', { identifier: 'changer', password: user.password })).status).toBe(400)
    expect(await me(await login(app, 'changer', NEW))).toBe(200)
    await deliveredUntil(() => sink.mails.some(({ headers }) => headers.get('subject')?.includes('was changed')))
    const audit = await app.deps.db.query.selectFrom('audit_log').selectAll().where('object_id', '=', String(user.id)).execute()
    expect(audit).toMatchObject([{ action: 'password_change', actor_user_id: user.id }])
  })

  test('with the current password where there is no mail', async () => {
    const user = await app.user('by-hand')
    await app.api('PUT', '/api/settings', { smtp_host: '' })
    expect((await app.api('GET', '/api/user/password/method', undefined, user.token)).body).toMatchObject({ method: 'current_password' })
    const refused = []
    for (const current of [undefined, 'wrong'])
      refused.push((await change({ new_password: NEW, current_password: current }, user.token)).body.error)
    refused.push((await post('/api/user/password/email-code', undefined, user.token)).body.error)
    expect(refused).toEqual(['current password is required', 'current password is incorrect', 'SMTP is not configured'])
    expect((await change({ new_password: NEW, current_password: user.password }, user.token)).status).toBe(200)
    expect(await me(user.token)).toBe(401)
    const passwordless = await app.user('passwordless')
    await app.deps.db.query.updateTable('users').set({ password_hash: null }).where('id', '=', passwordless.id).execute()
    const answer = await change({ new_password: NEW, current_password: 'x' }, passwordless.token)
    expect(answer.body.error).toBe('password login is not enabled for this account')
  })

  test('gives an account without a password one, and proves its address', async () => {
    const user = await app.user('no-password')
    await app.deps.db.query.updateTable('users').set({ password_hash: null, email_verified: 0 }).where('id', '=', user.id).execute()
    const email_code = await mailed('/api/user/password/email-code', 'no-password@example.test', undefined, user.token)
    expect((await change({ new_password: NEW, email_code }, user.token)).status).toBe(200)
    const row = await app.deps.db.query.selectFrom('users').select('email_verified').where('id', '=', user.id).executeTakeFirst()
    expect(row?.email_verified).toBe(1)
    await login(app, 'no-password', NEW)
  })

  test('a sign-in whose password was right a moment ago opens nothing once it has changed', async () => {
    const user = await app.user('overtaken')
    const row = await app.deps.db.query.selectFrom('users').selectAll().where('id', '=', user.id).executeTakeFirstOrThrow()
    const hash = row.password_hash ?? ''
    const open = () =>
      signIn(app.deps, row, { ip: '', userAgent: '' }, (tx) => confirmPasswordHash(tx, row.id, hash, hash)).then(
        () => 'open',
        (error: { code: string }) => error.code,
      )
    expect(await open()).toBe('open')
    await app.deps.db.query.updateTable('users').set({ password_hash: 'another' }).where('id', '=', user.id).execute()
    const before = (await sessionsOf(app.deps, user.id)).length
    expect([await open(), (await sessionsOf(app.deps, user.id)).length]).toEqual(['login_failed', before])
  })

  test('the current password takes ten guesses an hour', async () => {
    const user = await app.user('guessed')
    await app.api('PUT', '/api/settings', { smtp_host: '' })
    const codes = []
    for (let n = 0; n < 11; n += 1) codes.push((await change({ new_password: NEW, current_password: 'wrong' }, user.token)).status)
    expect(codes).toEqual([...Array.from({ length: 10 }, () => 400), 429])
    expect((await change({ new_password: NEW, current_password: user.password }, user.token)).status).toBe(429)
  })
})

describe('a forgotten password', () => {
  test('is set anew with a mailed code, which works once; every session ends', async () => {
    const user = await app.user('forgetful')
    const email = 'forgetful@example.test'
    const email_code = await mailed('/auth/password/reset-code', email, { email: email.toUpperCase() })
    expect((await post('/auth/password/reset', { email, email_code: wrongOf(email_code), new_password: NEW })).body.code).toBe(
      'code_invalid',
    )
    expect(await post('/auth/password/reset', { email, email_code, new_password: NEW })).toMatchObject({
      status: 200,
      body: { message: 'Password updated' },
    })
    expect(await me(user.token)).toBe(401)
    minute()
    expect((await post('/auth/password/reset', { email, email_code, new_password: 'yet another one' })).body.code).toBe('code_invalid')
    expect(await me(await login(app, 'forgetful', NEW))).toBe(200)
  })

  test('200 right tries at once set one password', async () => {
    await app.user('parallel')
    const email = 'parallel@example.test'
    const email_code = await mailed('/auth/password/reset-code', email, { email })
    const body = (n: number) => JSON.stringify({ email, email_code, new_password: `${NEW} ${n}` })
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        app.fetch('/auth/password/reset', { method: 'POST', body: body(n) }, `10.1.${n >> 6}.${n & 63}`),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.every(({ status }) => [200, 400, 429].includes(status))).toBe(true)
  })

  test('a code of one purpose is none of another', async () => {
    const user = await app.user('purposes')
    const email = 'purposes@example.test'
    const email_code = await mailed('/auth/password/reset-code', email, { email })
    expect((await change({ new_password: NEW, email_code }, user.token)).body.code).toBe('code_invalid')
    expect(await me(user.token)).toBe(200)
  })

  test('unknown, locked and known addresses get the same answers and the same limits, and no mail of theirs', async () => {
    const locked = await app.user('locked-one')
    await app.user('known-one')
    await app.api('PUT', `/api/users/${locked.id}`, { disabled: true })
    const answers: unknown[] = []
    for (const email of ['known-one@example.test', 'locked-one@example.test', 'unknown-one@example.test']) {
      const seen: unknown[] = []
      for (let n = 0; n < 4; n += 1) {
        const { status, body } = await post('/auth/password/reset-code', { email })
        seen.push([status, body.message, body.error])
        minute()
      }
      for (let n = 0; n < 4; n += 1) {
        const { status, body } = await post('/auth/password/reset', { email, email_code: '000000', new_password: NEW })
        seen.push([status, body.error])
        minute()
      }
      answers.push(seen)
      await deliverMails(app.deps)
    }
    expect(answers[1]).toEqual(answers[0])
    expect(answers[2]).toEqual(answers[0])
    expect(new Set(sink.mails.flatMap(({ to }) => to))).toEqual(new Set(['known-one@example.test']))
  })

  test('is not set for an account that was locked, or is gone, since the code was sent; the code is used up for nothing', async () => {
    for (const [name, leave] of [
      ['locked-since', (id: number) => app.api('PUT', `/api/users/${id}`, { disabled: true })],
      ['gone-since', (id: number) => app.api('DELETE', `/api/users/${id}`)],
    ] as const) {
      const user = await app.user(name)
      const email = `${name}@example.test`
      const email_code = await mailed('/auth/password/reset-code', email, { email })
      await leave(user.id)
      expect((await post('/auth/password/reset', { email, email_code, new_password: NEW })).body.code).toBe('code_invalid')
      const row = await app.deps.db.query.selectFrom('users').select('password_hash').where('id', '=', user.id).executeTakeFirst()
      expect([name, row && (await Bun.password.verify(NEW, row.password_hash ?? ''))]).not.toEqual([name, true])
      minute()
    }
  })

  test('takes five tries a minute from one address, asking and answering together', async () => {
    const body = { email: 'nobody@example.test', email_code: '000000', new_password: NEW }
    const codes = []
    for (let n = 0; n < 6; n += 1) codes.push((await post(n % 2 ? '/auth/password/reset-code' : '/auth/password/reset', body)).status)
    expect(codes).toEqual([400, 200, 400, 200, 400, 429])
    const refused = await app.api<{ retry_after: number }>('POST', '/auth/password/reset', body, null)
    expect([refused.status, refused.body.retry_after]).toEqual([429, 60])
    minute()
    expect((await post('/auth/password/reset', body)).status).toBe(400)
  })

  test('is nothing to ask for while password sign-in is off', async () => {
    await app.api('PUT', '/api/settings', { password_login_enabled: false })
    expect((await post('/auth/password/reset-code', { email: 'a@example.test' })).body.code).toBe('login_disabled')
    await app.api('PUT', '/api/settings', { password_login_enabled: true })
  })
})

describe('codes at rest', () => {
  test('are neither readable nor found by trying all million', async () => {
    const email = 'rest@example.test'
    await app.user('rest')
    await post('/auth/password/reset-code', { email })
    const stored = JSON.stringify([
      await app.deps.db.query.selectFrom('email_codes').selectAll().where('email', '=', email).execute(),
      await app.deps.db.query.selectFrom('mails').selectAll().execute(),
    ])
    await deliverMails(app.deps)
    const code = sink.codeFor(email) ?? ''
    expect(code).toHaveLength(6)
    expect(stored).not.toContain(code)
    for (const text of [code, `${email}|password_reset|${code}`])
      expect(stored).not.toContain(new Bun.CryptoHasher('sha256').update(text).digest('hex'))
  })
})
