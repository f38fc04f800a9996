import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { AdminUsage, ChannelUsage, UserUsage } from '../../../contract/api/usage.ts'
import { EMPTY_USAGE } from '../../../contract/meters.ts'
import { money, parseMoney, ZERO } from '../../../contract/money.ts'
import { createTestApp, type TestApp, type TestUser } from '../../../test/app.ts'
import { ManualClock } from '../../../test/clock.ts'
import { draftOf, type CallResult } from '../billing/draft.ts'
import { readMark } from '../settings/service.ts'
import { checkUsage, rebuildUsage } from './rebuild.ts'
import { foldUsage } from './fold.ts'
import { callFacts } from '../../../test/call-facts.ts'

const HOUR = 3_600_000
/** Monday noon, UTC. */
const NOON = Date.UTC(2026, 10, 23, 12)
const CENT = parseMoney('0.01') ?? ZERO

let app: TestApp
let user: TestUser
let other: TestUser
beforeAll(async () => {
  app = await createTestApp({ clock: new ManualClock(NOON + HOUR) })
  user = await app.user('caller')
  other = await app.user('other')
})
afterAll(() => app.close())
beforeEach(async () => {
  await app.deps.db.query.deleteFrom('logs').execute()
  await rebuildUsage(app.deps)
})

let serial = 0
/** A call as the settlement writes it: 10 tokens in, 4 of them from a cache, 5 out, 0.01. */
async function call(
  at: number,
  whose = user,
  change: Partial<CallResult> & { model?: string; channel?: number; parent?: string; key?: number } = {},
) {
  const { model = 'gpt-x', channel = 7, parent, key = 3, ...rest } = change
  const facts = callFacts({
    requestId: `req_${(serial += 1)}`,
    userId: whose.id,
    accountId: whose.id,
    apiKeyId: key,
    modelName: model,
    ip: '',
    priceSnapshot: '{"prices":{},"tiers":{},"quota_type":0}',
    createdAt: at,
  })
  const served = {
    userChannelId: 1,
    channelId: channel,
    channelModelId: 9,
    upstreamModel: 'up',
    upstreamProtocol: 'openai-chat',
    groupMultiplier: CENT,
    groupSource: 'group',
    userChannelMultiplier: CENT,
  }
  const result: CallResult = {
    status: 200,
    endReason: 'complete',
    usageSource: 'upstream',
    usage: { ...EMPTY_USAGE, input: 6, cachedInput: 4, output: 5 },
    items: 1,
    baseCost: CENT,
    upstreamCost: money(CENT / 4n),
    chargeNote: '',
    losses: [],
    attempts: [],
    error: '',
    firstResponseMs: 150,
    responseMs: 1_500,
    ...rest,
  }
  const row = { ...draftOf(facts, served, result, CENT), hold: ZERO, uncollected: ZERO }
  await app.deps.db.query
    .insertInto('logs')
    .values({ ...row, parent_request_id: parent ?? null })
    .execute()
}

const usage = async (query: string): Promise<AdminUsage> => {
  const { status, body } = await app.api<AdminUsage>('GET', `/api/usage?${query}`)
  expect([status, body]).toEqual([200, body])
  return body
}

test('days are those of the asked zone, also where clocks are off by 45 minutes and where they change', async () => {
  await call(Date.UTC(2026, 10, 22, 18, 14)) // 23:59 in Kathmandu
  await call(Date.UTC(2026, 10, 22, 18, 15)) // 00:00 of the next day
  const range = 'from=2026-11-21T18:15&to=2026-11-23T18:14:59'
  const nepal = await usage(`${range}&tz=Asia/Kathmandu`)
  expect(nepal.buckets).toEqual(['2026-11-21T18:15:00.000Z', '2026-11-22T18:15:00.000Z'])
  expect(nepal.series[0]?.points.map(({ requests }) => requests)).toEqual([1, 1])
  const utc = await usage('from=2026-11-22&to=2026-11-23')
  expect(utc.series[0]?.points.map(({ requests }) => requests)).toEqual([2, 0])
  // 1 November 2026 has 25 hours in New York: 04:00 UTC to 05:00 UTC of the next day.
  await call(Date.UTC(2026, 10, 1, 4))
  await call(Date.UTC(2026, 10, 2, 4, 59))
  await call(Date.UTC(2026, 10, 2, 5))
  const york = await usage('from=2026-11-01T04:00&to=2026-11-03T04:59:59&tz=America/New_York')
  expect(york.buckets).toEqual(['2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z'])
  expect(york.series[0]?.points.map(({ requests }) => requests)).toEqual([2, 1])
})

test('days of every zone add up to the same from whole days and quarters as from the calls, also over a change of the clocks', async () => {
  // Every 2 h 37 min over the end of summer time in Berlin and New York and, in Auckland, weeks after its beginning.
  for (let index = 0; index < 140; index += 1)
    await call(Date.UTC(2026, 9, 22, 0, 7) + index * 157 * 60_000, index % 2 ? user : other, { model: `m${index % 3}` })
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'America/St_Johns', 'Asia/Kolkata', 'Asia/Shanghai', 'Pacific/Auckland']
  const queries = [...zones, 'Pacific/Kiritimati', 'Pacific/Pago_Pago'].flatMap((zone) => [
    `from=2026-10-22&to=2026-11-06&tz=${zone}&group_by=model`,
    `from=2026-10-23T05:15&to=2026-11-05T17:29&tz=${zone}`,
    `from=2026-10-22&to=2026-11-06&tz=${zone}&bucket=month&user_id=${user.id}`,
  ])
  const ask = async () => {
    const answers: AdminUsage[] = []
    for (const query of queries) answers.push(await usage(query))
    return answers
  }
  const marked = () => readMark(app.deps.db.query, 'mark.usage')
  const before = await marked()
  const fromCalls = await ask()
  await foldUsage(app.deps)
  expect(await marked()).toBeGreaterThan(before)
  expect(await ask()).toEqual(fromCalls)
})

test('the same figures before, during and after the calls are added up, and from a rebuild; the audit sees a lost bucket', async () => {
  const ask = () => usage('from=2026-11-20T05:15&to=2026-11-23T12:00&group_by=model&compare=previous')
  for (let index = 0; index < 30; index += 1) {
    const change = { model: `m${index % 3}`, ...(index % 5 === 0 ? { endReason: 'timeout_before_content' as const } : {}) }
    await call(NOON - index * 2 * HOUR, index % 2 ? user : other, change)
    if (index === 14) {
      app.clock.advance(60_000)
      await foldUsage(app.deps)
    }
  }
  const before = await ask()
  app.clock.advance(60_000)
  await Promise.all([foldUsage(app.deps), foldUsage(app.deps)])
  const mark = await app.deps.db.query.selectFrom('settings').select('value').where('key', '=', 'mark.usage').executeTakeFirstOrThrow()
  const last = await app.deps.db.query.selectFrom('logs').select('id').orderBy('id', 'desc').limit(1).executeTakeFirstOrThrow()
  expect(Number(mark.value)).toBe(last.id)
  expect(await ask()).toEqual(before)
  await rebuildUsage(app.deps)
  expect(await ask()).toEqual(before)
  expect(before.totals).toMatchObject({ requests: 30, errors: 6, error_rate: 0.2, cost: '0.3', upstream_cost: '0.075', margin: '0.225' })
  expect(before.totals).toMatchObject({ cache_hit_rate: 0.4, first_token_p50: 150, first_token_p95: 195, duration_p50: 1_500 })
  expect(before.series.map(({ key, totals }) => [key, totals.requests])).toEqual([
    ['m0', 10],
    ['m1', 10],
    ['m2', 10],
  ])
  const differences: string[] = []
  const audit = () => checkUsage(app.deps.db.query, (_, id) => differences.push(id))
  await audit()
  expect(differences).toEqual([])
  await app.deps.db.query.deleteFrom('usage_buckets').where('kind', '=', 'model').where('model_name', '=', 'm1').execute()
  await audit()
  expect(differences).toEqual(['model, quarters', 'model, days'])
})

test('a user sees his own use by model and key without what it earned; parts of a meta model are no calls of his', async () => {
  await call(NOON)
  await call(NOON, user, { model: 'b', key: 4 })
  await call(NOON, user, { parent: 'req_x' })
  await call(NOON, other)
  const mine = (query: string) => app.api<UserUsage>('GET', `/api/user/usage?to=2026-11-24&${query}`, undefined, user.token)
  for (const fold of [false, true]) {
    if (fold) await rebuildUsage(app.deps)
    const { body } = await mine('group_by=key&bucket=month')
    expect(body.totals).toMatchObject({ requests: 2, parts: 1, cost: '0.03' })
    expect(body.totals).not.toHaveProperty('margin')
    expect(body.series.map(({ key, totals }) => [key, totals.requests])).toEqual([
      ['3', 1],
      ['4', 1],
    ])
    expect((await mine('model_name=b&api_key_id=4&bucket=none')).body.totals.requests).toBe(1)
    expect((await mine('top=1&group_by=model')).body.series.map(({ key }) => key)).toEqual(['gpt-x', 'other'])
  }
  expect((await app.api('GET', '/api/usage', undefined, user.token)).status).toBe(403)
})

test('what cannot be answered is refused: filters across kinds, a zone that is none, too many places', async () => {
  const status = async (query: string) => (await app.api('GET', `/api/usage?${query}`)).status
  expect(await status('channel_id=7&model_name=x')).toBe(400)
  expect(await status('tz=Mars/Base')).toBe(400)
  expect(await status('bucket=15m&from=2026-01-01&to=2026-11-01')).toBe(400)
  expect(await status('from=2026-11-02&to=2026-11-01')).toBe(400)
  expect(await status(`user_id=${user.id}&group_by=key`)).toBe(200)
})

test('channel usage counts every call a channel served since the beginning, and shows channels that served none', async () => {
  const { body: channel } = await app.api<{ id: number }>('POST', '/api/channels', {
    name: 'up',
    type: 'openai',
    base_url: 'https://up.example.test',
    api_key: 'k',
  })
  await call(NOON - 400 * 24 * HOUR, user, { channel: channel.id })
  await call(NOON, other, { channel: channel.id, parent: 'req_x' })
  for (const fold of [false, true]) {
    if (fold) await rebuildUsage(app.deps)
    const { body } = await app.api<ChannelUsage>('GET', '/api/channel-usage')
    const used = { request_count: 2, input_tokens: 20, output_tokens: 10, cached_input_tokens: 8, total_tokens: 30, total_cost: '0.02' }
    expect(body.upstream_channels).toMatchObject([{ id: channel.id, name: 'up', type: 'openai', ...used }])
    expect(body.user_channels).toMatchObject([{ id: 1, name: 'default', ...used }])
  }
})
