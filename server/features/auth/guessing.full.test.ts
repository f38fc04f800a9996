import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { guess } from '../../../test/guessing.ts'
import { OWNER } from '../../../test/site.ts'
import { smtpSink, type SmtpSink } from '../../../test/smtp.ts'
import { compareTimes, type Timings } from '../../../test/timing.ts'
import { parseRange } from '../../lib/client-ip.ts'
import { deliverMails } from '../mail/service.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const LONG = 20 * MINUTE
/** Promises.md S7. */
const GUESSES = 10_000
const ROUNDS = 2_000

let app: TestApp
let sink: SmtpSink
beforeAll(async () => {
  sink = await smtpSink()
  const range = parseRange('127.0.0.1')
  app = await createTestApp({ settings: sink.settings, config: { trustedProxies: range ? [range] : [] } })
  await app.user('known')
})
beforeEach(() => app.clock.advance(2 * HOUR))
afterAll(async () => {
  await app.close()
  await sink.close()
})

function expectAlike({ medians, t }: Timings, what: string): void {
  console.log(`${what}: medians ${medians.map((ms) => ms.toFixed(3)).join(' and ')} ms, t ${t.toFixed(2)}`)
  expect(Math.abs(medians[0] - medians[1])).toBeLessThan(2)
  expect(Math.abs(t)).toBeLessThan(4.5)
}

describe('guessing does not pay (S7)', () => {
  test(
    '10,000 passwords from 1,000 forged addresses within an hour: ten are looked at',
    async () => {
      const body = (n: number) => ({ identifier: OWNER.username, password: `guess ${n}` })
      const { looked } = await guess(app, { times: GUESSES, overMs: HOUR - 1_000, path: '/auth/password/login', body })
      expect(looked).toBe(10)
    },
    LONG,
  )

  test(
    '10,000 codes from 1,000 forged addresses while a code lives: five are compared with it',
    async () => {
      const email = 'known@example.test'
      await app.api('POST', '/auth/password/reset-code', { email }, null)
      await deliverMails(app.deps)
      const right = Number(sink.codeFor(email))
      const body = (n: number) => ({
        email,
        email_code: String((right + 1 + n) % 1_000_000).padStart(6, '0'),
        new_password: 'a new password',
      })
      const { looked, statuses } = await guess(app, { times: GUESSES, overMs: 10 * MINUTE - 1_000, path: '/auth/password/reset', body })
      expect(looked).toBeLessThanOrEqual(10)
      expect(statuses[200]).toBeUndefined()
      const rows = await app.deps.db.query.selectFrom('email_codes').select('tries').where('email', '=', email).execute()
      expect(rows).toEqual([{ tries: 5 }])
    },
    LONG,
  )

  test(
    'an account and nobody: 2 x 2,000 sign-ins take the same time',
    async () => {
      let n = 0
      const login = (identifier: string) => async () => {
        app.clock.advance(7 * MINUTE)
        await app.api('POST', '/auth/password/login', { identifier, password: `guess ${(n += 1)}` }, null)
      }
      expectAlike(await compareTimes(ROUNDS, login(OWNER.username), login('nobody-at-all')), 'sign-in')
    },
    LONG,
  )

  test.each([
    ['/auth/password/reset-code', 'password reset'],
    ['/auth/password/email-code', 'registration code'],
  ])(
    'an account and nobody: 2 x 2,000 of %s take the same time',
    async (path, what) => {
      const ask = (email: string) => async () => {
        app.clock.advance(4 * MINUTE)
        await app.api('POST', path, { email }, null)
      }
      // What waits in the queue is not part of the answer; without a server nothing runs beside.
      await app.api('PUT', '/api/settings', { smtp_port: '1' })
      expectAlike(await compareTimes(ROUNDS, ask('known@example.test'), ask('nobody@example.test')), what)
      await app.api('PUT', '/api/settings', sink.settings)
    },
    LONG,
  )
})
