import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { CheckInStatusWire } from '../../../contract/api/check-ins.ts'
import { addresses, crowd } from '../../../test/crowd.ts'
import { createTestApp, type TestApp, type TestUser } from '../../../test/app.ts'
import { checkBooks } from '../books/service.ts'
import { checkInNow, payOwedCheckIns } from './service.ts'

const HOUR = 3_600_000

let app: TestApp
beforeAll(async () => {
  app = await createTestApp({ settings: { checkin_enabled: true, checkin_daily_reward: '0.005', checkin_timezone: 'Asia/Shanghai' } })
})
afterAll(() => app.close())

const collect = (user: TestUser) => app.api<Record<string, unknown>>('POST', '/api/user/check-in', undefined, user.token)
const status = async (user: TestUser) => (await app.api<CheckInStatusWire>('GET', '/api/user/check-in/status', undefined, user.token)).body
const done = { status: 400, body: { error: 'Already checked in today' } }

test('500 parallel tries of each of 20 people are 20 rewards, and every loser is told so', async () => {
  const ids = await crowd(app, addresses(20, 'daily'))
  const results: PromiseSettledResult<unknown>[] = []
  // One person after another: what races is the 500 of each; 10,000 at once would only wait for a connection.
  for (const id of ids)
    results.push(...(await Promise.allSettled(Array.from({ length: 500 }, () => checkInNow(app.deps, id, '127.0.0.1')))))
  expect(results.filter(({ status: how }) => how === 'fulfilled')).toHaveLength(20)
  for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'checkin_done', status: 400 })
  const rows = await app.deps.db.query.selectFrom('ledger_entries').select(['amount', 'gifted']).where('kind', '=', 'check_in').execute()
  expect(rows).toHaveLength(20)
  expect(rows.every(({ amount, gifted }) => amount === 50_000_000n && gifted === amount)).toBe(true)
  expect((await checkBooks(app.database)).differences).toEqual([])
}, 60_000)

test('a reward a day: the second is refused, the next day brings the next', async () => {
  const user = await app.user('ada')
  const [first, second] = await Promise.all([collect(user), collect(user)])
  expect([first.status, second.status].sort((a, b) => a - b)).toEqual([200, 400])
  const won = first.status === 200 ? first : second
  expect(won.body).toEqual({ reward_amount: '0.005', reward_kind: 'daily', streak_days: 1, balance: '0.005', currency_display_name: '$' })
  expect(await collect(user)).toMatchObject(done)
  expect(await status(user)).toMatchObject({ enabled: true, checked_in_today: true, current_streak: 1, today_reward_preview: '0.005' })
  app.clock.advance(24 * HOUR)
  expect(await status(user)).toMatchObject({ checked_in_today: false, current_streak: 1 })
  expect(await collect(user)).toMatchObject({ status: 200, body: { streak_days: 2, balance: '0.01' } })
  app.clock.advance(48 * HOUR)
  expect(await status(user)).toMatchObject({ current_streak: 0 })
  expect(await collect(user)).toMatchObject({ status: 200, body: { streak_days: 1 } })
  const list = await app.api<unknown[]>('GET', '/api/user/check-in/records', undefined, user.token)
  expect(list.body).toHaveLength(3)
  expect(await app.api('GET', '/api/user/check-in/records?page=1&page_size=2', undefined, user.token)).toMatchObject({
    body: { total: 3, items: [{ streak_days: 1 }, { streak_days: 2 }] },
  })
})

test('neither a clock that is set back nor another zone brings a second reward within 20 hours', async () => {
  const user = await app.user('bea')
  expect((await collect(user)).status).toBe(200)
  app.clock.advance(-25 * HOUR)
  expect(await collect(user)).toMatchObject(done)
  app.clock.advance(25 * HOUR)
  await app.api('PUT', '/api/settings', { checkin_timezone: 'Pacific/Kiritimati' })
  for (let hour = 0; hour < 19; hour += 1) {
    expect(await collect(user)).toMatchObject(done)
    app.clock.advance(HOUR)
  }
  app.clock.advance(HOUR)
  expect((await collect(user)).status).toBe(200)
  await app.api('PUT', '/api/settings', { checkin_timezone: 'Asia/Shanghai' })
})

test('what a crash leaves between record and credit is booked once', async () => {
  const user = await app.user('cal')
  const row = {
    check_in_date: '2020-01-01',
    reward_amount: 7n as never,
    streak_days: 1,
    reward_kind: 'daily',
    created_at: 1,
    time_zone: 'UTC',
  }
  await app.deps.db.query
    .insertInto('check_ins')
    .values({ ...row, user_id: user.id, credited_at: null })
    .execute()
  await Promise.all([payOwedCheckIns(app.deps), payOwedCheckIns(app.deps)])
  await payOwedCheckIns(app.deps)
  const entries = await app.deps.db.query
    .selectFrom('ledger_entries')
    .select('amount')
    .where('reference', '=', `${user.id}:2020-01-01`)
    .execute()
  expect(entries).toEqual([{ amount: 7n as never }])
})

test('streaks and the random part are told before and paid after; one bad amount spoils nothing', async () => {
  await app.api('PUT', '/api/settings', {
    checkin_streak_enabled: true,
    checkin_streak_cycle_days: '3',
    checkin_streak_rewards: '{"2":"1","3":"2"}',
    checkin_random_enabled: true,
    checkin_random_min: '0.105',
    checkin_random_max: '0.125',
  })
  const user = await app.user('dan')
  expect(await status(user)).toMatchObject({ today_reward_preview: '0.11', next_streak_reward: { day: 2, amount: '1' } })
  const first = await collect(user)
  expect(first.body).toMatchObject({ reward_kind: 'daily_random' })
  expect(['0.11', '0.12', '0.13']).toContain(String(first.body['reward_amount']))
  app.clock.advance(24 * HOUR)
  const second = await collect(user)
  expect(second.body).toMatchObject({ reward_kind: 'daily_streak_random', streak_days: 2 })
  expect(Number(second.body['reward_amount'])).toBeGreaterThan(1.1)
  expect(await status(user)).toMatchObject({ next_streak_reward: { day: 3, amount: '2' } })
})

test('a check-in that is switched off refuses and still tells where one stands', async () => {
  const user = await app.user('eve')
  await app.api('PUT', '/api/settings', { checkin_enabled: false })
  expect(await collect(user)).toMatchObject({ status: 400, body: { error: 'Check-in is disabled' } })
  expect(await status(user)).toMatchObject({ enabled: false, checked_in_today: false })
  await app.api('PUT', '/api/settings', { checkin_enabled: true })
})

test('a network on the public internet collects for so many accounts a day, and a site may ask for a verified address (W84)', async () => {
  await app.api('PUT', '/api/settings', { checkin_enabled: true, checkin_accounts_per_network: '2' })
  const ids = await crowd(app, addresses(8, 'farm'))
  const from = (index: number, ip: string) =>
    checkInNow(app.deps, ids[index] ?? 0, ip).then(
      () => 'paid',
      (error: { code: string }) => error.code,
    )
  const household = ['2001:4860::1', '2001:4860::2', '2001:4860::ffff']
  expect([await from(0, household[0] ?? ''), await from(1, household[1] ?? ''), await from(2, household[2] ?? '')]).toEqual([
    'paid',
    'paid',
    'checkin_network_limit',
  ])
  expect(await from(2, '2001:4860:0:1::1')).toBe('paid')
  // An unlisted proxy or a company's own network says nothing of who calls.
  for (const index of [3, 4, 5]) expect(await from(index, '10.0.0.1')).toBe('paid')
  await app.api('PUT', '/api/settings', { checkin_verified_email_only: true })
  await app.deps.db.query
    .updateTable('users')
    .set({ email_verified: 0 })
    .where('id', '=', ids[6] ?? 0)
    .execute()
  expect(await from(6, '10.0.0.1')).toBe('checkin_unverified')
  expect(await from(7, '10.0.0.1')).toBe('paid')
})
