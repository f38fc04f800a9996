import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { AdminReceiptWire, LogWire, ReceiptWire } from '../../../contract/api/logs.ts'
import { EMPTY_USAGE, type Usage } from '../../../contract/meters.ts'
import { money, parseMoney, ZERO, type Money } from '../../../contract/money.ts'
import { decodeCard, encodeCard, quote, type PriceCard } from '../../../contract/quote.ts'
import { createTestApp, type TestApp, type TestUser } from '../../../test/app.ts'
import { requestId } from '../../lib/ids.ts'
import { draftOf, type CallResult } from '../billing/draft.ts'
import { accountOf, credit } from '../billing/service.ts'
import { callFacts } from '../../../test/call-facts.ts'

const amount = (text: string): Money => parseMoney(text) ?? ZERO
const CARD: PriceCard = {
  prices: { input: amount('2.5'), output: amount('10'), cachedInput: amount('1.25') },
  tiers: { output: [{ minTokens: 100, price: amount('5'), condition: '' }] },
  quotaType: 0,
}

let app: TestApp
let user: TestUser
let other: TestUser
beforeAll(async () => {
  app = await createTestApp()
  user = await app.user('caller')
  other = await app.user('other')
  await credit(app.deps, { accountId: (await accountOf(app.deps, user.id)).id, kind: 'recharge', reference: 'r1', amount: amount('10') })
})
afterAll(() => app.close())

/** A row as settling writes it, with its ledger entry. */
async function addCall(whose: TestUser, usage: Partial<Usage>, change: Partial<CallResult> & { model?: string } = {}): Promise<string> {
  const { deps } = app
  const id = requestId(deps.clock.now())
  const account = await accountOf(deps, whose.id)
  const full = { ...EMPTY_USAGE, ...usage }
  const multipliers = { group: amount('0.8'), userChannel: amount('1.2') }
  const priced = quote(full, CARD, multipliers)
  const result: CallResult = {
    status: 200,
    endReason: 'complete',
    usageSource: 'upstream',
    usage: full,
    items: 1,
    baseCost: priced.base,
    upstreamCost: amount('0.001'),
    chargeNote: '',
    losses: [{ path: 'messages[0].name', reason: 'no place' }],
    attempts: [
      {
        channelId: 7,
        channel: 'secret-upstream',
        upstreamModel: 'up-gpt',
        status: 200,
        outcome: 'ok',
        error: '',
        startedMs: 0,
        durationMs: 12.5,
      },
    ],
    error: 'up-gpt said no',
    firstResponseMs: 10,
    responseMs: 20,
    ...change,
  }
  const facts = callFacts({
    requestId: id,
    userId: whose.id,
    accountId: account.id,
    modelName: change.model ?? 'gpt-x',
    stream: true,
    ip: '203.0.113.1',
    userAgent: 'test',
    priceSnapshot: encodeCard(CARD),
    createdAt: deps.clock.now(),
  })
  const served = {
    userChannelId: 1,
    channelId: 7,
    channelModelId: 9,
    upstreamModel: 'up-gpt',
    upstreamProtocol: 'openai-chat',
    groupMultiplier: multipliers.group,
    groupSource: 'group',
    userChannelMultiplier: multipliers.userChannel,
  }
  const cost = result.endReason === 'crashed' ? ZERO : priced.total
  await deps.db.query
    .insertInto('logs')
    .values({ ...draftOf(facts, served, result, cost), hold: amount('0.5'), uncollected: ZERO })
    .execute()
  if (cost > 0n) await credit(deps, { accountId: account.id, kind: 'usage', reference: id, amount: money(-cost) })
  return id
}

describe('receipts (BC1)', () => {
  test('lines, rounding and sum follow from the row’s own fields', async () => {
    const id = await addCall(user, { input: 7, output: 150, cachedInput: 3 })
    const { body } = await app.api<ReceiptWire>('GET', `/api/user/logs/${id}`, undefined, user.token)
    expect(
      body.lines.map(({ meter, tokens, unit_price: price, tier, amount: exact }) => [
        meter,
        tokens,
        price,
        tier?.min_tokens ?? null,
        exact,
      ]),
    ).toEqual([
      ['input', 7, '2.5', null, '0.0000168'],
      ['output', 100, '10', null, '0.00096'],
      ['output', 50, '5', 100, '0.00024'],
      ['cachedInput', 3, '1.25', null, '0.0000036'],
    ])
    expect(body).toMatchObject({
      rounding: '0',
      charged: '0.0012204',
      cost: '0.0012204',
      hold: '0.5',
      group_multiplier: '0.8',
      user_channel_multiplier: '1.2',
      input_tokens: 10,
      output_tokens: 150,
      cached_input_tokens: 3,
      attempt_count: 1,
      losses: [{ path: 'messages[0].name', reason: 'no place' }],
      input_price: '2.5',
    })
    const snapshot = decodeCard(JSON.stringify(body.snapshot.price_card))
    const again = quote({ ...EMPTY_USAGE, input: 7, output: 150, cachedInput: 3 }, snapshot, {
      group: amount('0.8'),
      userChannel: amount('1.2'),
    })
    expect(again.total).toBe(amount(body.charged))
    const entries = (await app.api<{ id: number; amount: string; reference: string }[]>('GET', '/api/user/ledger', undefined, user.token))
      .body
    expect(entries.find(({ id: entry }) => entry === body.ledger_entry_id)).toMatchObject({ amount: '-0.0012204', reference: id })
  })

  test('the one rounding is shown: exact lines and it make the charge', async () => {
    const id = await addCall(user, { input: 1 })
    const row = await app.deps.db.query.selectFrom('logs').select('id').where('request_id', '=', id).executeTakeFirstOrThrow()
    await app.deps.db.query
      .updateTable('logs')
      .set({ group_multiplier: amount('0.3333333333'), cost: amount('0.000001') })
      .where('id', '=', row.id)
      .execute()
    const { body } = await app.api<ReceiptWire>('GET', `/api/user/logs/${row.id}`, undefined, user.token)
    expect([body.lines[0]?.amount, body.rounding, body.charged]).toEqual(['0.0000009999999999', '0.0000000000000001', '0.000001'])
  })

  test('a call that is not charged has no lines and says why', async () => {
    const id = await addCall(user, { input: 5 }, { endReason: 'crashed', usageSource: 'none', chargeNote: 'not charged' })
    const { body } = await app.api<ReceiptWire>('GET', `/api/user/logs/${id}`, undefined, user.token)
    expect([body.lines, body.charged, body.rounding, body.ledger_entry_id, body.charge_note]).toEqual([[], '0', '0', null, 'not charged'])
  })

  test('a user sees nothing of the upstream, an admin all of it (W53)', async () => {
    const id = await addCall(user, { input: 5 })
    for (const path of [`/api/user/logs/${id}`, '/api/user/logs']) {
      const text = JSON.stringify((await app.api('GET', path, undefined, user.token)).body)
      for (const secret of ['secret-upstream', 'up-gpt', '"channel_id"', 'upstream_cost', 'upstream_protocol'])
        expect(text).not.toContain(secret)
    }
    const { body } = await app.api<AdminReceiptWire>('GET', `/api/logs/${id}`)
    expect(body).toMatchObject({
      username: 'caller',
      channel_id: 7,
      upstream_model_name: 'up-gpt',
      upstream_cost: '0.001',
      attempts: [{ channel_id: 7, channel_name: 'secret-upstream' }],
    })
  })

  test('another’s call does not exist', async () => {
    const id = await addCall(user, { input: 5 })
    expect((await app.api('GET', `/api/user/logs/${id}`, undefined, other.token)).status).toBe(404)
    expect((await app.api('GET', '/api/user/logs/0x1', undefined, other.token)).status).toBe(400)
    expect((await app.api<LogWire[]>('GET', '/api/user/logs', undefined, other.token)).body).toEqual([])
    expect((await app.api<unknown[]>('GET', '/api/user/ledger', undefined, other.token)).body).toEqual([])
  })
})

describe('lists', () => {
  test('bare: the latest 100; with a parameter: a page, newest first', async () => {
    for (let n = 0; n < 101; n += 1) await addCall(other, { input: n + 1 })
    const bare = (await app.api<LogWire[]>('GET', '/api/user/logs', undefined, other.token)).body
    expect([bare.length, bare[0]?.input_tokens]).toEqual([100, 101])
    const paged = (
      await app.api<{ items: LogWire[]; total: number; page: number; page_size: number }>(
        'GET',
        '/api/user/logs?page=2&page_size=50',
        undefined,
        other.token,
      )
    ).body
    expect([paged.items.length, paged.items[0]?.input_tokens, paged.total, paged.page, paged.page_size]).toEqual([50, 51, 101, 2, 50])
    const bareOfUser = (await app.api<LogWire[]>('GET', `/api/logs?user_id=${other.id}`)).body
    expect(bareOfUser).toHaveLength(100)
  })

  test('filters by model, channel and time; a date as end means its whole day', async () => {
    await addCall(user, { input: 1 }, { model: 'Claude-Old' })
    const count = async (query: string): Promise<number> => (await app.api<{ total: number }>('GET', `/api/logs?${query}`)).body.total
    expect(await count('model_name=claude-o')).toBe(1)
    expect(await count('model_name=%25')).toBe(0)
    expect(await count('model_name=a&user_id=1')).toBe(0)
    expect(await count('model_name=claude&start_date=2026-11-22&end_date=2026-11-22')).toBe(1)
    expect(await count('model_name=claude&start_date=2026-11-23')).toBe(0)
    expect(await count('model_name=claude&end_time=2026-11-22T11:59')).toBe(0)
    expect(await count('model_name=claude&end_time=2026-11-22T20:00:01%2B08:00')).toBe(1)
    expect(await count('channel_id=8')).toBe(0)
    const bad = await app.api<{ error: string }>('GET', '/api/logs?start_time=yesterday')
    expect([bad.status, bad.body.error]).toEqual([400, 'invalid time format'])
    expect((await app.api('GET', '/api/logs?channel_id=x')).status).toBe(400)
  })
})

describe('figures', () => {
  test('the ledger pages and filters; an admin sees whose it is', async () => {
    const { body } = await app.api<{ items: { kind: string; user_id: number }[]; total: number }>(
      'GET',
      `/api/ledger?page=1&page_size=5&kind=recharge&user_id=${user.id}`,
    )
    expect([body.total, body.items]).toEqual([1, [expect.objectContaining({ kind: 'recharge', user_id: user.id })]])
  })

  test('stats of the site and of a user', async () => {
    app.clock.advance(3_600_000)
    await addCall(other, { input: 30, output: 4 })
    const own = (await app.api<Record<string, unknown>>('GET', '/api/user/stats', undefined, other.token)).body
    expect(own).toMatchObject({ today_requests: 102, rpm: 1, tpm: 34 })
    expect((await app.api<Record<string, unknown>>('GET', '/api/stats')).body).toMatchObject({ users: 3, channels: 0 })
  })

  test('the catalog names enabled user channels and what each reaches', async () => {
    const [first] = (await app.api<{ id: number }[]>('GET', '/api/user-channels')).body
    const channel = (
      await app.api<{ id: number }>('POST', '/api/channels', {
        name: 'up',
        type: 'openai',
        base_url: 'https://up.example.test/v1',
        api_key: 'k',
        user_channel_id: first?.id,
      })
    ).body
    await app.api('POST', '/api/models', { model_name: 'm1', input_price: '1' })
    await app.api('POST', `/api/channels/${channel.id}/models`, { model_name: 'm1', upstream_model_name: 'm1' })
    await app.api('POST', '/api/user-channels', { name: 'a-empty' })
    const { body } = await app.api<{ name: string; models: string[] }[]>('GET', '/api/user/catalog', undefined, user.token)
    expect(body.map(({ name, models }) => [name, models])).toEqual([
      ['a-empty', []],
      ['default', ['m1']],
    ])
  })
})
