import { afterAll, afterEach, beforeEach, expect, test } from 'bun:test'
import type { ApiKeyWire } from '../../contract/api/api-keys.ts'
import type { UserWire } from '../../contract/api/users.ts'
import { calendarOf } from '../../server/features/billing/calendar.ts'
import { serve, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

/** The test clock stands at noon of 2026-11-22. */
const DAY_MS = 86_400_000
let served: Served
const upstream = await Upstream.start()

beforeEach(async () => {
  served = await serve({ settings: { checkin_timezone: 'UTC' } })
  await served.site.sell(await served.site.addChannel({ baseUrl: upstream.url }), 'm', { input_price: '0', output_price: '10' })
  // A call costs 0.01, and as much is held for it.
  upstream.always = { answer: { parts: [{ text: 'word' }], tokens: { input: 10, output: 1000 } } }
})
afterEach(async () => {
  await served.expectBooks()
  await served.close()
})
afterAll(() => upstream.stop())

const body = { model: 'm', max_tokens: 1000, messages: [{ role: 'user', content: 'Go.' }] }

/** Calls at once; the texts of the refusals. */
const fire = async (count: number, key?: string): Promise<{ admitted: number; refusals: string[] }> => {
  const answers = await Promise.all(
    Array.from({ length: count }, async () => {
      const response = await served.post('/v1/chat/completions', body, key === undefined ? {} : { key })
      return { status: response.status, text: await response.text() }
    }),
  )
  const refused = answers.filter(({ status }) => status !== 200)
  for (const { status } of refused) expect(status).toBe(402)
  return { admitted: answers.length - refused.length, refusals: [...new Set(refused.map(({ text }) => text))] }
}

const addKey = async (budgets: object): Promise<{ id: number; secret: string }> => {
  const { id, secret } = await served.site.addKey()
  const channels = (await served.site.api<{ id: number }[]>('GET', '/api/user-channels')).map((channel) => channel.id)
  await served.site.api('PUT', `/api/user/api-keys/${id}`, { allowed_user_channels: channels.slice(0, 1), ...budgets })
  return { id, secret }
}
const keyOf = async (id: number): Promise<ApiKeyWire | undefined> =>
  (await served.site.api<ApiKeyWire[]>('GET', '/api/user/api-keys')).find((key) => key.id === id)

test('a key spends exactly its budget of a day, however many ask at once, and again the next day', async () => {
  const key = await addKey({ budget_daily: '0.05' })
  const first = await fire(30, key.secret)
  expect(first.admitted).toBe(5)
  expect(first.refusals).toHaveLength(1)
  expect(first.refusals[0]).toContain('budget of this API key')
  expect(await keyOf(key.id)).toMatchObject({ budget_daily: '0.05', budget_monthly: null, budget_daily_used: '0.05' })
  expect((await fire(1)).admitted).toBe(1)
  served.clock.advance(DAY_MS)
  expect((await fire(10, key.secret)).admitted).toBe(5)
  expect(await keyOf(key.id)).toMatchObject({ budget_daily_used: '0.05', budget_monthly_used: '0.1' })
})

test('a key spends exactly its budget of a month, which begins anew with the next', async () => {
  const key = await addKey({ budget_monthly: '0.03' })
  expect((await fire(10, key.secret)).admitted).toBe(3)
  served.clock.advance(5 * DAY_MS)
  expect((await fire(2, key.secret)).admitted).toBe(0)
  served.clock.advance(5 * DAY_MS)
  expect((await fire(10, key.secret)).admitted).toBe(3)
})

test('the budget of a user binds all of his keys together; null ends it', async () => {
  const one = await addKey({})
  const other = await addKey({ budget_daily: '1' })
  const user = await served.site.api<UserWire>('PUT', `/api/users/${served.site.userId}`, { budget_daily: '0.04', budget_monthly: '0.06' })
  expect(user).toMatchObject({ budget_daily: '0.04', budget_monthly: '0.06', budget_daily_used: '0' })
  const [left, right] = await Promise.all([fire(10, one.secret), fire(10, other.secret)])
  expect(left.admitted + right.admitted).toBe(4)
  expect([...left.refusals, ...right.refusals][0]).toContain('budget of the account')
  served.clock.advance(DAY_MS)
  expect((await fire(5)).admitted).toBe(2)
  await served.site.api('PUT', `/api/users/${served.site.userId}`, { budget_daily: null, budget_monthly: null })
  expect((await fire(3)).admitted).toBe(3)
  const audit = await served.test.deps.db.query.selectFrom('audit_log').select('after').where('object_type', '=', 'user').execute()
  expect(audit.some(({ after }) => after?.includes('0.06'))).toBe(true)
})

test('what was spent after midnight is not forgotten when a call of the day before, or of a process whose clock is behind, is booked after it', async () => {
  const key = await addKey({ budget_daily: '0.05', budget_monthly: '0.08' })
  // The last minute of November; each process has a clock of its own.
  const midnight = Date.UTC(2026, 11, 1)
  served.clock.set(midnight - 60_000)
  expect((await fire(2, key.secret)).admitted).toBe(2)
  served.clock.set(midnight + 60_000)
  expect((await fire(3, key.secret)).admitted).toBe(3)
  served.clock.set(midnight - 60_000)
  expect((await fire(1, key.secret)).admitted).toBe(1)
  served.clock.set(midnight + 60_000)
  expect((await fire(9, key.secret)).admitted).toBe(1)
  served.clock.set(midnight + DAY_MS)
  expect((await fire(9, key.secret)).admitted).toBe(3)
  // A clock that is set right after it was wrong by more begins its day anew: nobody waits for the day that never was.
  served.clock.set(midnight - 5 * DAY_MS)
  expect((await fire(9, key.secret)).admitted).toBe(5)
})

test('a stream cannot outgrow a budget', async () => {
  upstream.always = { answer: { parts: [{ text: 'word '.repeat(20_000) }] }, pieces: 200, pauseMs: 1 }
  const key = await addKey({ budget_daily: '0.02' })
  const response = await served.post('/v1/chat/completions', { ...body, stream: true }, { key: key.secret })
  expect(await response.text()).toContain('used up during the answer')
  expect(await served.row(response.headers.get('x-tollgate-request-id') ?? '')).toMatchObject({ end_reason: 'refused_balance' })
})

test('days are those of the site, across midnight and a change of the zone', () => {
  let zone = 'Asia/Shanghai'
  const dayOf = calendarOf(() => zone)
  expect(dayOf(Date.UTC(2026, 10, 22, 15, 59, 59, 999))).toBe(20_261_122)
  expect(dayOf(Date.UTC(2026, 10, 22, 16))).toBe(20_261_123)
  zone = 'Asia/Kathmandu'
  expect(dayOf(Date.UTC(2026, 10, 22, 18, 14))).toBe(20_261_122)
  expect(dayOf(Date.UTC(2026, 10, 22, 18, 15))).toBe(20_261_123)
  zone = 'no such place'
  expect(dayOf(Date.UTC(2026, 10, 22, 23, 59))).toBe(20_261_122)
})
