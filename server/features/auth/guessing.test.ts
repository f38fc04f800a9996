import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { guess } from '../../../test/guessing.ts'
import { OWNER } from '../../../test/site.ts'
import { smtpSink, type SmtpSink } from '../../../test/smtp.ts'
import { compareTimes } from '../../../test/timing.ts'
import { parseRange } from '../../lib/client-ip.ts'
import { countAttempt, sweepAttempts } from '../attempts/service.ts'
import { deliverMails } from '../mail/service.ts'

const HOUR = 60 * 60_000

let app: TestApp
let sink: SmtpSink
beforeAll(async () => {
  sink = await smtpSink()
  const range = parseRange('127.0.0.1')
  app = await createTestApp({ settings: sink.settings, config: { trustedProxies: range ? [range] : [] } })
})
beforeEach(() => app.clock.advance(2 * HOUR))
afterAll(async () => {
  await app.close()
  await sink.close()
})

describe('guessing (S7; the big figures are in guessing.full.test.ts)', () => {
  test.each([
    ['an account', OWNER.username],
    ['an account by its address', OWNER.email],
    ['nobody', 'nobody-at-all'],
  ])('ten tries an hour at the password of %s, from many addresses', async (_, identifier) => {
    const { looked } = await guess(app, {
      times: 60,
      overMs: HOUR - 1_000,
      path: '/auth/password/login',
      body: (n) => ({ identifier, password: `guess ${n}` }),
    })
    expect(looked).toBe(10)
  })

  test('by both names of an account together ten, and then the right one has to wait, too', async () => {
    const { looked } = await guess(app, {
      times: 40,
      overMs: HOUR / 2,
      path: '/auth/password/login',
      body: (n) => ({ identifier: n % 2 === 0 ? OWNER.username : OWNER.email, password: `guess ${n}` }),
    })
    expect(looked).toBe(10)
    app.clock.advance(61_000)
    const right = { identifier: OWNER.username, password: OWNER.password }
    expect((await app.api('POST', '/auth/password/login', right, null)).status).toBe(429)
    app.clock.advance(HOUR)
    expect((await app.api('POST', '/auth/password/login', right, null)).status).toBe(200)
  })

  test('who knows the password is not counted as a guesser', async () => {
    for (let n = 0; n < 11; n += 1) {
      app.clock.advance(61_000)
      const { status } = await app.api('POST', '/auth/password/login', { identifier: OWNER.username, password: OWNER.password }, null)
      expect(status).toBe(200)
    }
  })

  test('five tries at a code, then not even the right one', async () => {
    await app.user('coded')
    const email = 'coded@example.test'
    await app.api('POST', '/auth/password/reset-code', { email }, null)
    await deliverMails(app.deps)
    const right = sink.codeFor(email) ?? ''
    const body = (n: number) => ({
      email,
      email_code: String(n).padStart(6, right === '000000' ? '1' : '0'),
      new_password: 'a new password',
    })
    const { statuses } = await guess(app, { times: 60, overMs: 9 * 60_000, path: '/auth/password/reset', body })
    expect(statuses).toEqual({ 400: 10, 429: 50 })
    const row = await app.deps.db.query.selectFrom('email_codes').select(['tries', 'used_at']).where('email', '=', email).executeTakeFirst()
    expect(row).toEqual({ tries: 5, used_at: null })
    app.clock.advance(50_000)
    expect((await app.api('POST', '/auth/password/reset', { ...body(0), email_code: right }, null)).status).toBe(429)
  })

  test('two processes count together, and two hundred at once as many as one after the other', async () => {
    const limit = { count: 10, windowMs: HOUR }
    const counted = await Promise.allSettled(Array.from({ length: 200 }, () => countAttempt(app.deps, 'together', limit)))
    expect(counted.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    app.clock.advance(HOUR)
    await countAttempt(app.deps, 'together', limit)
    app.clock.advance(HOUR)
    await sweepAttempts(app.deps)
    expect(await app.deps.db.query.selectFrom('attempts').selectAll().execute()).toEqual([])
  })

  test('takes as long for an account as for nobody', async () => {
    let n = 0
    const login = (identifier: string) => async () => {
      app.clock.advance(7 * 60_000)
      await app.api('POST', '/auth/password/login', { identifier, password: `guess ${(n += 1)}` }, null)
    }
    const { t } = await compareTimes(8, login(OWNER.username), login('nobody-at-all'))
    expect(Math.abs(t)).toBeLessThan(4.5)
  }, 20_000)
})
