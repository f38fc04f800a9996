import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { AdminReceiptWire as Receipt } from '../../contract/api/logs.ts'
import type { UserWire } from '../../contract/api/users.ts'
import { signIn } from '../../server/features/auth/service.ts'
import { OrphanSweeper } from '../../server/features/billing/orphans.ts'
import { deliverMails } from '../../server/features/mail/service.ts'
import { requireUser } from '../../server/features/users/service.ts'
import { createLog } from '../../server/lib/log.ts'
import { crowd } from '../crowd.ts'
import { serve, until, type Served } from '../served.ts'
import { smtpSink, type SmtpSink } from '../smtp.ts'
import { Upstream } from '../upstream/server.ts'

/** promises.md R13: what is stored is an instant; neither a zone's jumps nor the size of the number nor a wrong clock moves it. */
const INSTANTS = [
  ['the hour that Berlin leaves out', Date.UTC(2027, 2, 28, 1)],
  ['the hour that New York has twice', Date.UTC(2027, 10, 7, 6)],
  ['a leap day', Date.UTC(2028, 1, 29, 23, 30)],
  ['one second more than 31 bits', 2 ** 31 * 1000],
  ['one second more than 32 bits', 2 ** 32 * 1000],
] as const
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const CODE_MS = 10 * 60_000
const PASSWORD = 'a long enough password'

let served: Served
let sink: SmtpSink
let owner = ''
let key: { id: number; secret: string }
let bound: { allowed_user_channels: number[] }
let serial = 0
const upstream = await Upstream.start()
beforeAll(async () => {
  sink = await smtpSink()
  served = await serve({
    settings: { ...sink.settings, email_verification_required: true, checkin_enabled: true, checkin_timezone: 'Europe/Berlin' },
  })
  await served.site.sell(await served.site.addChannel({ baseUrl: upstream.url }), 'm', { input_price: '0', output_price: '10' })
  key = await served.site.addKey()
  const channels = await served.site.api<{ id: number }[]>('GET', '/api/user-channels')
  bound = { allowed_user_channels: channels.slice(0, 1).map(({ id }) => id) }
  upstream.always = { answer: { parts: [{ text: 'word' }], tokens: { input: 10, output: 1000 } } }
})
// Limits are counted on the monotonic clock, whatever the other one says.
beforeEach(() => {
  served.clock.advance(61_000)
  serial += 1
})
afterAll(async () => {
  await served.close()
  await sink.close()
  await upstream.stop()
})

const api = <T>(method: string, path: string, body?: unknown, token: string | null = owner) => served.test.api<T>(method, path, body, token)
const me = async (token: string): Promise<number> => (await api('GET', '/api/user/me', undefined, token)).status
const chat = { model: 'm', max_tokens: 1000, messages: [{ role: 'user', content: 'Go.' }] }
/** Opens a session; no password is hashed for it, which takes longer than all the rest. */
const enter = async (userId: number): Promise<string> => {
  const { deps } = served.test
  const { token } = await signIn(deps, await requireUser(deps.db.query, userId), { ip: '127.0.0.1', userAgent: 'test' })
  return token
}
const join = async (name: string): Promise<string> => {
  const [id = 0] = await crowd(served.test, [`${name}${serial}@example.test`])
  return enter(id)
}
/** Sets the clock as often as one wrong clock or another would, around the instant at which something ends. */
const around = async (end: number, alive: () => Promise<boolean>): Promise<void> => {
  for (const [at, expected] of [
    [end - 1, true],
    [end - HOUR_MS, true],
    [end, false],
    [end + HOUR_MS, false],
    [end - 1, true],
    [end + 1, false],
  ] as const) {
    served.clock.set(at)
    expect(`${at - end}: ${await alive()}`).toBe(`${at - end}: ${expected}`)
  }
}

describe.each(INSTANTS)('R13: at %s', (_, end) => {
  /** Time passes and the clock stands here; the owner has signed in. */
  const begin = async (at: number): Promise<void> => {
    served.clock.advance(61_000)
    served.clock.set(at)
    owner = await enter(served.site.userId)
  }

  test('a session ends at its stored second, and is good for a clock that was set back before it began', async () => {
    await begin(end - 7 * DAY_MS)
    const token = await join('session')
    served.clock.set(end - 7 * DAY_MS - HOUR_MS)
    expect(await me(token)).toBe(200)
    await around(end, async () => (await me(token)) === 200)
  })

  test('a key ends at its own, written in whatever offset', async () => {
    await begin(end - DAY_MS)
    const inTokyo = `${new Date(end + 9 * HOUR_MS).toISOString().slice(0, -1)}+09:00`
    const kept = await api<{ expires_at: string }>('PUT', `/api/user/api-keys/${key.id}`, { expires_at: inTokyo, ...bound })
    expect(kept).toMatchObject({ status: 200, body: { expires_at: new Date(end).toISOString() } })
    await around(end, async () => (await served.post('/v1/chat/completions', chat, { key: key.secret })).status === 200)
  })

  test('a redeem code ends at its own, and the group it gave at that of its days', async () => {
    await begin(end - DAY_MS)
    const group = (await api<{ id: number }>('POST', '/api/groups', { name: `gold${serial}`, multiplier: '1' })).body
    const code = `T${serial}`
    const expiresAt = new Date(end).toISOString()
    const rules = { group_id: group.id, group_duration_days: 2, max_uses: 9, expires_at: expiresAt }
    expect(await api('POST', '/api/redeem-codes', { code, ...rules })).toMatchObject({ status: 200, body: { expires_at: expiresAt } })
    served.clock.set(end)
    const token = await join('member')
    const use = () => api<{ error?: string }>('POST', '/api/user/redeem-code', { code }, token)
    for (const late of [end, end + HOUR_MS]) {
      served.clock.set(late)
      expect(await use()).toMatchObject({ status: 400, body: { error: 'Redeem code has expired' } })
    }
    served.clock.set(end - 1)
    expect((await use()).status).toBe(200)
    await around(end - 1 + 2 * DAY_MS, async () => {
      const { groups = [] } = (await api<UserWire>('GET', '/api/user/me', undefined, token)).body
      const found = groups.find(({ group_id: id }) => id === group.id)
      return found?.expires_at != null && Date.parse(found.expires_at) > served.clock.now()
    })
  })

  test('a mailed code is good for ten minutes of the stored time', async () => {
    await begin(end - CODE_MS)
    const codes = await Promise.all(
      ['early', 'late', 'back'].map(async (name) => {
        const email = `${name}${serial}@example.test`
        expect((await api('POST', '/auth/password/email-code', { email }, null)).status).toBe(200)
        return { username: `${name}${serial}`, email, password: PASSWORD }
      }),
    )
    await deliverMails(served.test.deps)
    const register = async (at: number, form: { email: string } | undefined) => {
      served.clock.set(at)
      const body = { ...form, email_code: sink.codeFor(form?.email ?? '') }
      const { status, body: answer } = await api<{ code?: string }>('POST', '/auth/password/register', body, null)
      return answer.code ?? status
    }
    const [early, late, back] = codes
    expect(await register(end, late)).toBe('code_invalid')
    expect(await register(end + HOUR_MS, late)).toBe('code_invalid')
    expect(await register(end - 1, early)).toBe(200)
    expect(await register(end - HOUR_MS, back)).toBe(200)
  })

  test('a day has one reward, whatever the clock says within it', async () => {
    await begin(end)
    const token = await join('daily')
    const collect = async (at: number): Promise<number> => {
      served.clock.set(at)
      return (await api('POST', '/api/user/check-in', undefined, token)).status
    }
    expect(await collect(end)).toBe(200)
    for (const off of [0, -HOUR_MS, HOUR_MS, -DAY_MS]) expect(await collect(end + off)).toBe(400)
    expect(await collect(end + DAY_MS + HOUR_MS)).toBe(200)
    expect(await collect(end)).toBe(400)
  })

  test('a call that runs while the clock is set stays open, is charged in full and lasted as long as it did', async () => {
    await begin(end)
    await api('PUT', `/api/user/api-keys/${key.id}`, { expires_at: null, ...bound })
    const { clock, deps } = served.test
    const sweeper = new OrphanSweeper({ db: deps.db, clock, log: createLog('silent', () => clock.now()) })
    const asked = upstream.received.length
    upstream.next({ answer: { parts: [{ text: 'word' }], tokens: { input: 10, output: 1000 } }, delayMs: 150 })
    const running = served.post('/v1/chat/completions', chat, { key: key.secret })
    expect(await until(() => upstream.received.length > asked)).toBe(true)
    for (const off of [HOUR_MS, -HOUR_MS]) {
      clock.set(end + off)
      await sweeper.beat()
    }
    const response = await running
    expect(response.status).toBe(200)
    await response.text()
    const id = response.headers.get('x-tollgate-request-id') ?? ''
    let row: Receipt | undefined
    expect(await until(async () => (row = (await api<Receipt>('GET', `/api/logs/${id}`)).body).request_id === id)).toBe(true)
    // The monotonic clock of this test stands still: a duration that is not 0 was taken from the other one.
    expect(row).toMatchObject({ cost: '0.01', end_reason: 'complete', response_time_ms: 0 })
    await served.expectBooks()
  })
})

test('R13: what is remembered for seconds is forgotten after them, though the clock was set back', async () => {
  owner = await enter(served.site.userId)
  const ask = async () => (await served.post('/v1/chat/completions', chat, { key: key.secret })).status
  expect(await ask()).toBe(200)
  // As a lost change event would leave it: nobody was told.
  const update = served.test.deps.db.query.updateTable('api_keys').set({ enabled: 0 }).where('id', '=', key.id)
  await update.execute()
  expect(await ask()).toBe(200)
  served.clock.set(served.clock.now() - HOUR_MS)
  served.clock.advance(31_000)
  expect(await ask()).toBe(401)
})
