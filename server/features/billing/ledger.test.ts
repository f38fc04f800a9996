// long file: one promise after another about the same thing, read as a list
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { EMPTY_USAGE } from '../../../contract/meters.ts'
import { money, MONEY_ONE, parseMoney, ZERO, type Money } from '../../../contract/money.ts'
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts'
import { checkBooks } from '../books/service.ts'
import { draftOf } from './draft.ts'
import { accountOf, adjustBalance, createAccount, credit, Ledger } from './service.ts'
import { sql } from 'kysely'
import { callFacts } from '../../../test/call-facts.ts'

const NOW = Date.UTC(2026, 10, 22)
const CARD = '{"prices":{"input":"1"},"tiers":{},"quota_type":0}'
const one = (units: bigint | number): Money => money(BigInt(units) * MONEY_ONE)

let made: TestDatabase
let ledger: Ledger
let accountId: number
let serial = 0

beforeEach(async () => {
  made = await openTestDatabase()
  ledger = new Ledger(made.db)
  accountId = await made.db.query.transaction().execute((tx) => createAccount(tx, 7, NOW))
})

afterEach(() => made.drop())

const deps = () => ({ db: made.db, clock: { now: () => NOW } })
const give = (amount: Money, reference = `gift-${serial++}`, gifted: Money = ZERO) =>
  credit(deps(), { accountId, kind: 'recharge', reference, amount, gifted })
const nextId = (): string => `req_${serial++}`
const hold = (requestId: string, amount: Money, apiKeyId: number | null = null) =>
  ledger.hold({ requestId, accountId, quotaKeyId: apiKeyId, amount, now: NOW, deadlineAt: NOW + 1, context: '{}' })

/** Settles a call whose input tokens cost 1 per million. */
const settle = (requestId: string, millions: number, apiKeyId: number | null = null) => {
  const facts = callFacts({ requestId, userId: 7, accountId, apiKeyId, priceSnapshot: CARD, createdAt: NOW })
  const usage = { ...EMPTY_USAGE, input: millions * 1_000_000 }
  const cost = one(millions)
  const log = draftOf(
    facts,
    undefined,
    {
      status: 200,
      endReason: 'complete',
      usageSource: millions === 0 ? 'none' : 'upstream',
      usage,
      items: 1,
      baseCost: cost,
      upstreamCost: null,
      chargeNote: '',
      losses: [],
      attempts: [],
      error: '',
      firstResponseMs: 1,
      responseMs: 2,
    },
    cost,
  )
  return ledger.settle({ requestId, accountId, apiKeyId, cost, now: NOW, log })
}

const addKey = async (quota: Money): Promise<number> => {
  const row = await made.db.query
    .insertInto('api_keys')
    .values({
      user_id: 7,
      name: 'k',
      key_hash: `hash-${serial++}`,
      key_prefix: 'sk-',
      allowed_models: '[]',
      allowed_user_channels: '[]',
      allowed_ips: '[]',
      quota_limit: quota,
      quota_used: ZERO,
      quota_held: ZERO,
      enabled: 1,
      expires_at: null,
      previous_key_hash: null,
      previous_expires_at: null,
      rate_limit_rpm: null,
      request_count: 0,
      input_tokens: 0,
      output_tokens: 0,
      cached_input_tokens: 0,
      total_cost: ZERO,
      usage_reset_at: null,
      last_used_at: null,
      created_at: NOW,
      updated_at: NOW,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

const books = async (): Promise<unknown[]> => (await checkBooks(made.options)).differences
const refused = (error: unknown): string => (error as { code: string }).code

describe('a hold', () => {
  test('sets money aside until the call is settled, and the rest comes back', async () => {
    await give(one(10))
    expect(await hold('req_a', one(4))).toBe(one(4))
    expect(await accountOf(deps(), 7)).toMatchObject({ balance: one(10), held: one(4) })
    expect(await settle('req_a', 1)).toEqual({ settled: true, charged: one(1), balance: one(9) })
    expect(await accountOf(deps(), 7)).toMatchObject({ balance: one(9), held: 0n })
    expect(await books()).toEqual([])
  })

  test('is refused when what is free does not cover it', async () => {
    await give(one(10))
    await hold('req_a', one(8))
    expect(await hold('req_b', one(3)).catch(refused)).toBe('insufficient_balance')
    expect(await accountOf(deps(), 7)).toMatchObject({ held: one(8) })
  })

  test('takes the last of a balance when the estimate is at most a ninth too high and nothing else runs', async () => {
    await give(one(9))
    expect(await hold('req_a', one(11)).catch(refused)).toBe('insufficient_balance')
    expect(await hold('req_b', one(10))).toBe(one(9))
    await settle('req_b', 9)
    expect(await accountOf(deps(), 7)).toMatchObject({ balance: 0n, held: 0n })
    expect(await hold('req_c', money(1n)).catch(refused)).toBe('insufficient_balance')
    expect(await books()).toEqual([])
  })

  test('on a key reserves quota too, or on neither', async () => {
    await give(one(100))
    const key = await addKey(one(5))
    await hold('req_a', one(4), key)
    expect(await hold('req_b', one(2), key).catch(refused)).toBe('key_quota_exceeded')
    expect(await accountOf(deps(), 7)).toMatchObject({ held: one(4) })
    await settle('req_a', 4, key)
    expect(await hold('req_c', one(1), key)).toBe(one(1))
    await settle('req_c', 1, key)
    expect(await hold('req_d', money(1n), key).catch(refused)).toBe('key_quota_exceeded')
    expect(await books()).toEqual([])
  })
})

describe('settling', () => {
  test('happens once: a second settlement changes nothing', async () => {
    await give(one(10))
    await hold('req_a', one(2))
    await settle('req_a', 1)
    expect(await settle('req_a', 1)).toMatchObject({ settled: false })
    expect(await accountOf(deps(), 7)).toMatchObject({ balance: one(9), held: 0n, request_count: 1 })
  })

  test('takes a debt of at most the limit, says what is missing, and the account is refused until it is paid', async () => {
    await give(one(2))
    await hold('req_a', one(2))
    expect(await settle('req_a', 8)).toMatchObject({ charged: one(3), balance: one(-1) })
    const row = await made.db.query.selectFrom('logs').select(['cost', 'uncollected', 'charge_note']).executeTakeFirstOrThrow()
    expect(row).toEqual({ cost: one(3), uncollected: one(5), charge_note: 'the account could not pay all of it' })
    expect(await hold('req_b', money(1n)).catch(refused)).toBe('account_in_debt')
    await give(one(2))
    expect(await hold('req_c', one(1))).toBe(one(1))
  })

  test('takes gifted money first, and the entries tell gifted from paid', async () => {
    await give(one(3), 'paid')
    await give(one(2), 'gift', one(2))
    for (const [id, cost] of [
      ['req_a', 1],
      ['req_b', 3],
    ] as const) {
      await hold(id, one(cost))
      await settle(id, cost)
    }
    expect(await accountOf(deps(), 7)).toMatchObject({ balance: one(1), gifted: 0n })
    const entries = await made.db.query
      .selectFrom('ledger_entries')
      .select(['amount', 'gifted'])
      .where('kind', '=', 'usage')
      .orderBy('id')
      .execute()
    expect(entries).toEqual([
      { amount: one(-1), gifted: one(-1) },
      { amount: one(-3), gifted: one(-1) },
    ])
    expect(await books()).toEqual([])
  })
})

describe('crediting', () => {
  test('is once per kind and reference, also in parallel', async () => {
    const results = await Promise.all(Array.from({ length: 50 }, () => give(one(5), 'order-1')))
    expect(results.filter(({ repeated }) => !repeated)).toHaveLength(1)
    expect(new Set(results.map(({ entryId }) => entryId)).size).toBe(1)
    expect(await accountOf(deps(), 7)).toMatchObject({ balance: one(5) })
  })

  test('an absolute balance is stored as the difference, exact to ten places, whatever runs meanwhile (M11)', async () => {
    await give(one(1000))
    const to = parseMoney('123.4567890123') ?? ZERO
    const edits = Array.from({ length: 20 }, () =>
      adjustBalance(deps(), { userId: 7, accountId, to, actorUserId: 1, reason: 'correction', note: '' }),
    )
    const charges = Array.from({ length: 20 }, async () => {
      const id = nextId()
      await hold(id, one(1))
      await settle(id, 1)
    })
    await Promise.all([...edits, ...charges])
    const { balance } = await accountOf(deps(), 7)
    const spent = await made.db.query
      .selectFrom('ledger_entries')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .where('kind', '=', 'usage')
      .executeTakeFirstOrThrow()
    expect(spent.n).toBe(20)
    // Every charge after the last edit counts from the edited amount; none is lost, none is doubled.
    expect((to - balance) % MONEY_ONE).toBe(0n)
    expect(await books()).toEqual([])
  })

  test('compare and set refuses when the balance is another', async () => {
    await give(one(5))
    const change = { accountId, userId: 7, delta: one(1), actorUserId: 1, reason: 'gift', note: '' }
    expect(await adjustBalance(deps(), { ...change, expected: one(4) }).catch(refused)).toBe('conflict')
    expect((await adjustBalance(deps(), { ...change, expected: one(5) })).balance).toBe(one(6))
  })

  test('a debit stops at the floor', async () => {
    await give(one(5))
    expect(await credit(deps(), { accountId, kind: 'refund', reference: 'r', amount: one(-7) }).catch(refused)).toBe('bad_request')
    expect((await credit(deps(), { accountId, kind: 'refund', reference: 's', amount: one(-6) })).balance).toBe(one(-1))
  })
})

test('M2: of 10,000 concurrent calls on a balance that affords 1,000, exactly 1,000 are admitted and the balance ends at 0', async () => {
  await give(one(1000))
  const admitted = (
    await Promise.all(
      Array.from({ length: 10_000 }, async () => {
        const id = nextId()
        return hold(id, one(1)).then(
          () => id,
          () => undefined,
        )
      }),
    )
  ).filter((id) => id !== undefined)
  expect(admitted).toHaveLength(1000)
  await Promise.all(admitted.map((id) => settle(id, 1)))
  expect(await accountOf(deps(), 7)).toMatchObject({ balance: 0n, held: 0n })
  expect(await books()).toEqual([])
}, 60_000)

test('M2: a key quota and 50 keys of one account admit exactly what they afford', async () => {
  await give(one(60))
  const keys = await Promise.all(Array.from({ length: 50 }, () => addKey(one(2))))
  const calls = keys.flatMap((key) =>
    Array.from({ length: 10 }, async () => {
      const id = nextId()
      return hold(id, one(1), key).then(
        () => ({ id, key }),
        () => undefined,
      )
    }),
  )
  const admitted = (await Promise.all(calls)).filter((call) => call !== undefined)
  expect(admitted).toHaveLength(60)
  await Promise.all(admitted.map(({ id, key }) => settle(id, 1, key)))
  const most = await made.db.query
    .selectFrom('api_keys')
    .select(({ fn }) => fn.max('quota_used').as('amount'))
    .executeTakeFirstOrThrow()
  expect(most.amount).toBe(one(2))
  expect(await accountOf(deps(), 7)).toMatchObject({ balance: 0n, held: 0n })
  expect(await books()).toEqual([])
}, 60_000)

describe('the books', () => {
  const spoil = async (statement: string): Promise<void> => {
    await give(one(10))
    const key = await addKey(ZERO)
    await hold('req_a', one(2), key)
    await settle('req_a', 1, key)
    expect(await books()).toEqual([])
    await sql.raw(statement).execute(made.db.query)
    expect((await books()).length).toBeGreaterThan(0)
  }
  test('find a log row whose cost was changed', () => spoil('update logs set cost = cost + 1'))
  test('find a log row whose tokens were changed', () => spoil('update logs set input_tokens = input_tokens + 1'))
  test('find a balance that was changed', () => spoil('update accounts set balance = balance + 1'))
  test('find a hold that was lost', () => spoil('update accounts set held = held + 1'))
  test('find a ledger entry that was removed', () => spoil("delete from ledger_entries where kind = 'usage'"))
  test('find a log row that was removed', () => spoil('delete from logs'))
  test('find a key quota that was changed', () => spoil('update api_keys set quota_used = quota_used + 1'))
})
