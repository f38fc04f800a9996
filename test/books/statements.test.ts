import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { EntryWire } from '../../contract/api/ledger.ts'
import type { ReportRow } from '../../contract/api/reports.ts'
import type { StatementWire } from '../../contract/api/statements.ts'
import { formatMoney, money } from '../../contract/money.ts'
import { monthStart } from '../../server/features/statements/month.ts'
import { addUpCalls } from '../../server/features/reports/totals.ts'
import { createTestApp, login, type TestApp, type TestUser } from '../app.ts'
import { amount, charge, give } from '../charge.ts'
import { ManualClock } from '../clock.ts'

const DAY = 86_400_000
/** Noon of the last day of October in Shanghai. */
const START = Date.parse('2026-10-31T04:00:00Z')

let app: TestApp
let user: TestUser
beforeAll(async () => {
  const clock = new ManualClock()
  clock.advance(START - clock.now())
  app = await createTestApp({ clock })
  user = await app.user('reader')
})
afterAll(() => app.close())

const own = <T>(path: string) => app.api<T>('GET', path, undefined, user.token)
async function csv(path: string, token: string): Promise<string[][]> {
  const response = await app.fetch(path, { headers: { authorization: `Bearer ${token}` } })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8'])
  const text = await response.text()
  return text
    .trim()
    .split('\r\n')
    .map((line) => line.split(','))
}

test('a month opens with what the month before closed with, and opening + kinds = closing to the last digit', async () => {
  await give(app, user.id, '10')
  await give(app, user.id, '0.5', true)
  await charge(app, user.id, { usage: { input: 1_234_567 }, model: 'dear' })
  app.clock.advance(DAY)
  user.token = await login(app, user.username, user.password)
  await charge(app, user.id, { usage: { output: 3 }, model: 'cheap' })
  await give(app, user.id, '-0.0000000001')
  const october = (await own<StatementWire>('/api/user/statements/2026-10')).body
  const november = (await own<StatementWire>('/api/user/statements/2026-11')).body
  expect(october).toMatchObject({
    zone: 'Asia/Shanghai',
    from: '2026-09-30T16:00:00.000Z',
    to: '2026-10-31T16:00:00.000Z',
    provisional: false,
    opening: '0',
    closing: '9.265433',
    kinds: [
      { kind: 'adjustment', entries: 2, amount: '10.5' },
      { kind: 'usage', entries: 1, amount: '-1.234567' },
    ],
    models: [{ model_name: 'dear', requests: 1, cost: '1.234567' }],
  })
  expect(november).toMatchObject({ opening: october.closing, closing: '9.2654299999', provisional: true })
  for (const { opening, kinds, closing } of [october, november]) {
    const sum = kinds.reduce<bigint>((total, kind) => total + amount(kind.amount), amount(opening))
    expect(formatMoney(money(sum))).toBe(closing)
  }
  expect((await own('/api/user/statements/2026-12')).status).toBe(400)
  expect((await own('/api/user/statements/2026-13')).status).toBe(400)
  expect((await own<StatementWire>('/api/user/statements/2026-09')).body).toMatchObject({ opening: '0', closing: '0', kinds: [] })
  const other = await app.user('nosy')
  expect((await app.api('GET', `/api/user/statements/2026-10?user_id=${user.id}`, undefined, other.token)).status).toBe(403)
  expect((await app.api('GET', `/api/user/statements/2026-10?user_id=${user.id}`, undefined, await app.admin())).body).toEqual({
    ...october,
    generated_at: new Date(app.clock.now()).toISOString(),
  })
})

test('a month begins at midnight of its zone, also where the clock jumps or is off by odd minutes', () => {
  expect(new Date(monthStart('America/New_York', 2026, 11)).toISOString()).toBe('2026-11-01T04:00:00.000Z')
  expect(new Date(monthStart('Asia/Kathmandu', 2026, 3)).toISOString()).toBe('2026-02-28T18:15:00.000Z')
  expect(new Date(monthStart('Pacific/Apia', 2012, 1)).toISOString()).toBe('2011-12-31T10:00:00.000Z')
  // The clock jumps two hours after this midnight, in a zone ahead of UTC.
  expect(new Date(monthStart('Australia/Sydney', 2023, 10)).toISOString()).toBe('2023-09-30T14:00:00.000Z')
  // And where it goes back on the first of a month.
  expect(new Date(monthStart('Australia/Sydney', 2012, 4)).toISOString()).toBe('2012-03-31T13:00:00.000Z')
  // Midnight of this day did not exist there: the clock jumped from 23:59:59 to 01:00.
  expect(new Date(monthStart('America/Asuncion', 2023, 10)).toISOString()).toBe('2023-10-01T04:00:00.000Z')
})

test('the ledger is narrowed by kind and time, and the balance after each entry is the one before plus its amount', async () => {
  const all = (await own<EntryWire[]>('/api/user/ledger')).body.toReversed()
  all.reduce((balance, entry) => {
    expect(entry.balance_after).toBe(formatMoney(money(balance + amount(entry.amount))))
    return amount(entry.balance_after)
  }, 0n as bigint)
  const ids = async (query: string) => (await own<EntryWire[]>(`/api/user/ledger?${query}`)).body.map(({ id }) => id)
  const of = (...kinds: string[]) =>
    all
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ id }) => id)
      .toReversed()
  expect(await ids('kind=usage')).toEqual(of('usage'))
  expect(await ids('kind=usage,adjustment')).toEqual(of('usage', 'adjustment'))
  expect(await ids('end_time=2026-10-31T20:00:00Z')).toEqual(
    all
      .slice(0, 3)
      .map(({ id }) => id)
      .toReversed(),
  )
  expect(await ids('start_date=2026-11-01')).toEqual(
    all
      .slice(3)
      .map(({ id }) => id)
      .toReversed(),
  )
  expect((await own('/api/user/ledger?kind=bribe')).status).toBe(400)
  expect((await own('/api/user/ledger?start_time=yesterday')).body).toMatchObject({ error: 'invalid time format' })
})

test('the CSV has every entry once, oldest first, no formula, and other accounts only for those who run the site', async () => {
  const hostile = '=HYPERLINK("http://evil.example","x"),\r\n+1'
  await app.api('POST', `/api/users/${user.id}/adjustments`, { amount: '1', reason: 'other', note: hostile }, await app.admin())
  const lines = await csv('/api/user/ledger/export', user.token)
  expect(lines[0]?.join(',')).toBe('id,created_at,kind,amount,gifted,balance_after,reference,reason')
  const all = (await own<EntryWire[]>('/api/user/ledger')).body.toReversed()
  expect(lines.slice(1).map(([id, , , value]) => [id, value])).toEqual(all.map(({ id, amount: value }) => [String(id), value]))
  const response = await app.fetch('/api/ledger/export', { headers: { authorization: `Bearer ${await app.admin()}` } })
  const text = await response.text()
  expect(text).toContain(`"'=HYPERLINK(""http://evil.example"",""x""),\r\n+1"`)
  expect(text).toContain(',-1.234567,')
  expect((await app.fetch('/api/ledger/export', { headers: { authorization: `Bearer ${user.token}` } })).status).toBe(403)
})

test('an export of 5,000 entries is read a page at a time, and reading stops when the client leaves', async () => {
  const accountId = (await app.deps.db.query.selectFrom('accounts').select('id').where('user_id', '=', user.id).executeTakeFirstOrThrow())
    .id
  const row = { account_id: accountId, kind: 'opening', gifted: money(0n), actor_user_id: null, reason: '', note: '' }
  for (let from = 0; from < 5_000; from += 500)
    await app.deps.db.query
      .insertInto('ledger_entries')
      .values(
        Array.from({ length: 500 }, (_, index) => ({
          ...row,
          reference: `bulk${from + index}`,
          amount: money(0n),
          balance_after: money(0n),
          created_at: app.clock.now(),
        })),
      )
      .execute()
  expect((await csv('/api/user/ledger/export?kind=opening', user.token)).length).toBe(5_001)
  const response = await app.fetch('/api/user/ledger/export', { headers: { authorization: `Bearer ${user.token}` } })
  const reader = response.body?.getReader()
  let chunks = 0
  while (chunks < 2 && (await reader?.read())?.done === false) chunks += 1
  await reader?.cancel()
  expect(chunks).toBe(2)
  await app.deps.db.query.deleteFrom('ledger_entries').where('kind', '=', 'opening').execute()
})

test('the days of a report add up selling price, cost price and margin exactly, before and after the job has been there, each call once', async () => {
  const rich = await app.user('rich')
  await give(app, rich.id, '100')
  const made: { day: number; channel: number; model: string; cost: bigint; upstream: bigint | null }[] = []
  for (let index = 0; index < 60; index += 1) {
    if (index % 20 === 0) app.clock.advance(DAY)
    const tokens = 1_000 + index * 7
    const upstream = index % 5 === 0 ? null : money(BigInt(tokens) * 3_001n)
    const model = `m${index % 3}`
    await charge(app, rich.id, { usage: { input: tokens }, model, channelId: 1 + (index % 2), upstreamCost: upstream })
    made.push({ day: Math.floor(app.clock.now() / DAY), channel: 1 + (index % 2), model, cost: BigInt(tokens) * 10_000n, upstream })
    if (index % 17 === 0) await addUpCalls(app.deps)
  }
  const first = new Date((made[0]?.day ?? 0) * DAY).toISOString().slice(0, 10)
  const last = new Date((made.at(-1)?.day ?? 0) * DAY).toISOString().slice(0, 10)
  const report = async (groups: string) => {
    const { status, body } = await app.api<{ items: ReportRow[]; totals: ReportRow }>(
      'GET',
      `/api/reports/daily?from=${first}&to=${last}&group_by=${groups}`,
      undefined,
      await login(app, 'owner', 'correct horse battery'),
    )
    expect(status).toBe(200)
    return body
  }
  const check = async (): Promise<void> => {
    const { items, totals } = await report('day,channel,model')
    expect(items).toHaveLength(18)
    for (const item of items) {
      const calls = made.filter(
        ({ day, channel, model }) =>
          item.day === new Date(day * DAY).toISOString().slice(0, 10) && item.channel_id === channel && item.model_name === model,
      )
      const known = calls.filter(({ upstream }) => upstream !== null)
      const sum = (values: (bigint | null)[]) => formatMoney(money(values.reduce<bigint>((a, b) => a + (b ?? 0n), 0n)))
      expect(item).toMatchObject({
        requests: calls.length,
        cost: sum(calls.map(({ cost }) => cost)),
        upstream_cost: sum(known.map(({ upstream }) => upstream)),
        margin: sum(known.map(({ cost, upstream }) => cost - (upstream ?? 0n))),
        unknown_cost_requests: calls.length - known.length,
        unknown_cost_sales: sum(calls.filter(({ upstream }) => upstream === null).map(({ cost }) => cost)),
      })
    }
    expect(totals.requests).toBe(60)
    expect((await report('channel')).items.map(({ channel_id: id, requests, day }) => [id, requests, day])).toEqual([
      [1, 30, null],
      [2, 30, null],
    ])
  }
  await check()
  app.clock.advance(60_000)
  await Promise.all([addUpCalls(app.deps), addUpCalls(app.deps)])
  const rows = await app.deps.db.query.selectFrom('daily_totals').select('requests').execute()
  expect(rows.reduce((sum, { requests }) => sum + requests, 0)).toBe(62)
  await check()
  expect(
    (
      await app.api(
        'GET',
        '/api/reports/daily?from=2026-01-02&to=2026-01-01',
        undefined,
        await login(app, 'owner', 'correct horse battery'),
      )
    ).status,
  ).toBe(400)
  expect((await app.api('GET', '/api/reports/daily?from=2026-01-01&to=2026-01-01', undefined, rich.token)).status).toBe(403)
})
