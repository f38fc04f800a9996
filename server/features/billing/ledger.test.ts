// long file: one promise after another about the same thing, read as a list
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { sql } from 'kysely'
import { money, MONEY_ONE, parseMoney, ZERO } from '../../../contract/money.ts'
import { accountOf, adjustBalance, credit } from './service.ts'
import { one, openLedger, refused, type LedgerKit } from './test-kit.ts'

let kit: LedgerKit
beforeEach(async () => {
  kit = await openLedger()
})
afterEach(() => kit.made.drop())

describe('a hold', () => {
  test('sets money aside until the call is settled, and the rest comes back', async () => {
    await kit.give(one(10))
    expect(await kit.hold('req_a', one(4))).toBe(one(4))
    expect(await accountOf(kit.deps(), 7)).toMatchObject({ balance: one(10), held: one(4) })
    expect(await kit.settle('req_a', 1)).toEqual({ settled: true, charged: one(1), balance: one(9) })
    expect(await accountOf(kit.deps(), 7)).toMatchObject({ balance: one(9), held: 0n })
    expect(await kit.books()).toEqual([])
  })

  test('is refused when what is free does not cover it', async () => {
    await kit.give(one(10))
    await kit.hold('req_a', one(8))
    expect(await kit.hold('req_b', one(3)).catch(refused)).toBe('insufficient_balance')
    expect(await accountOf(kit.deps(), 7)).toMatchObject({ held: one(8) })
  })

  test('takes the last of a balance when the estimate is at most a ninth too high and nothing else runs', async () => {
    await kit.give(one(9))
    expect(await kit.hold('req_a', one(11)).catch(refused)).toBe('insufficient_balance')
    expect(await kit.hold('req_b', one(10))).toBe(one(9))
    await kit.settle('req_b', 9)
    expect(await accountOf(kit.deps(), 7)).toMatchObject({ balance: 0n, held: 0n })
    expect(await kit.hold('req_c', money(1n)).catch(refused)).toBe('insufficient_balance')
    expect(await kit.books()).toEqual([])
  })

  test('on a key reserves quota too, or on neither', async () => {
    await kit.give(one(100))
    const key = await kit.addKey(one(5))
    await kit.hold('req_a', one(4), key)
    expect(await kit.hold('req_b', one(2), key).catch(refused)).toBe('key_quota_exceeded')
    expect(await accountOf(kit.deps(), 7)).toMatchObject({ held: one(4) })
    await kit.settle('req_a', 4, key)
    expect(await kit.hold('req_c', one(1), key)).toBe(one(1))
    await kit.settle('req_c', 1, key)
    expect(await kit.hold('req_d', money(1n), key).catch(refused)).toBe('key_quota_exceeded')
    expect(await kit.books()).toEqual([])
  })
})

describe('settling', () => {
  test('happens once: a second settlement changes nothing', async () => {
    await kit.give(one(10))
    await kit.hold('req_a', one(2))
    await kit.settle('req_a', 1)
    expect(await kit.settle('req_a', 1)).toMatchObject({ settled: false })
    expect(await accountOf(kit.deps(), 7)).toMatchObject({ balance: one(9), held: 0n, request_count: 1 })
  })

  test('takes a debt of at most the limit, says what is missing, and the account is refused until it is paid', async () => {
    await kit.give(one(2))
    await kit.hold('req_a', one(2))
    expect(await kit.settle('req_a', 8)).toMatchObject({ charged: one(3), balance: one(-1) })
    const row = await kit.made.db.query.selectFrom('logs').select(['cost', 'uncollected', 'charge_note']).executeTakeFirstOrThrow()
    expect(row).toEqual({ cost: one(3), uncollected: one(5), charge_note: 'the account could not pay all of it' })
    expect(await kit.hold('req_b', money(1n)).catch(refused)).toBe('account_in_debt')
    await kit.give(one(2))
    expect(await kit.hold('req_c', one(1))).toBe(one(1))
  })

  test('takes gifted money first, and the entries tell gifted from paid', async () => {
    await kit.give(one(3), 'paid')
    await kit.give(one(2), 'gift', one(2))
    for (const [id, cost] of [
      ['req_a', 1],
      ['req_b', 3],
    ] as const) {
      await kit.hold(id, one(cost))
      await kit.settle(id, cost)
    }
    expect(await accountOf(kit.deps(), 7)).toMatchObject({ balance: one(1), gifted: 0n })
    const entries = await kit.made.db.query
      .selectFrom('ledger_entries')
      .select(['amount', 'gifted'])
      .where('kind', '=', 'usage')
      .orderBy('id')
      .execute()
    expect(entries).toEqual([
      { amount: one(-1), gifted: one(-1) },
      { amount: one(-3), gifted: one(-1) },
    ])
    expect(await kit.books()).toEqual([])
  })
})

describe('crediting', () => {
  test('is once per kind and reference, also in parallel', async () => {
    const results = await Promise.all(Array.from({ length: 50 }, () => kit.give(one(5), 'order-1')))
    expect(results.filter(({ repeated }) => !repeated)).toHaveLength(1)
    expect(new Set(results.map(({ entryId }) => entryId)).size).toBe(1)
    expect(await accountOf(kit.deps(), 7)).toMatchObject({ balance: one(5) })
  })

  test('an absolute balance is stored as the difference, exact to ten places, whatever runs meanwhile (M11)', async () => {
    await kit.give(one(1000))
    const to = parseMoney('123.4567890123') ?? ZERO
    const edits = Array.from({ length: 20 }, () =>
      adjustBalance(kit.deps(), { userId: 7, accountId: kit.accountId, to, actorUserId: 1, reason: 'correction', note: '' }),
    )
    const charges = Array.from({ length: 20 }, async () => {
      const id = kit.nextId()
      await kit.hold(id, one(1))
      await kit.settle(id, 1)
    })
    await Promise.all([...edits, ...charges])
    const { balance } = await accountOf(kit.deps(), 7)
    const spent = await kit.made.db.query
      .selectFrom('ledger_entries')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .where('kind', '=', 'usage')
      .executeTakeFirstOrThrow()
    expect(spent.n).toBe(20)
    // Every charge after the last edit counts from the edited amount; none is lost, none is doubled.
    expect((to - balance) % MONEY_ONE).toBe(0n)
    expect(await kit.books()).toEqual([])
  })

  test('compare and set refuses when the balance is another', async () => {
    await kit.give(one(5))
    const change = { accountId: kit.accountId, userId: 7, delta: one(1), actorUserId: 1, reason: 'gift', note: '' }
    expect(await adjustBalance(kit.deps(), { ...change, expected: one(4) }).catch(refused)).toBe('conflict')
    expect((await adjustBalance(kit.deps(), { ...change, expected: one(5) })).balance).toBe(one(6))
  })

  test('a debit stops at the floor', async () => {
    await kit.give(one(5))
    expect(await credit(kit.deps(), { accountId: kit.accountId, kind: 'refund', reference: 'r', amount: one(-7) }).catch(refused)).toBe(
      'bad_request',
    )
    expect((await credit(kit.deps(), { accountId: kit.accountId, kind: 'refund', reference: 's', amount: one(-6) })).balance).toBe(one(-1))
  })
})

test('M2: of 10,000 concurrent calls on a balance that affords 1,000, exactly 1,000 are admitted and the balance ends at 0', async () => {
  await kit.give(one(1000))
  const admitted = (
    await Promise.all(
      Array.from({ length: 10_000 }, async () => {
        const id = kit.nextId()
        return kit.hold(id, one(1)).then(
          () => id,
          () => undefined,
        )
      }),
    )
  ).filter((id) => id !== undefined)
  expect(admitted).toHaveLength(1000)
  await Promise.all(admitted.map((id) => kit.settle(id, 1)))
  expect(await accountOf(kit.deps(), 7)).toMatchObject({ balance: 0n, held: 0n })
  expect(await kit.books()).toEqual([])
}, 60_000)

test('M2: a key quota and 50 keys of one account admit exactly what they afford', async () => {
  await kit.give(one(60))
  const keys = await Promise.all(Array.from({ length: 50 }, () => kit.addKey(one(2))))
  const calls = keys.flatMap((key) =>
    Array.from({ length: 10 }, async () => {
      const id = kit.nextId()
      return kit.hold(id, one(1), key).then(
        () => ({ id, key }),
        () => undefined,
      )
    }),
  )
  const admitted = (await Promise.all(calls)).filter((call) => call !== undefined)
  expect(admitted).toHaveLength(60)
  await Promise.all(admitted.map(({ id, key }) => kit.settle(id, 1, key)))
  const most = await kit.made.db.query
    .selectFrom('api_keys')
    .select(({ fn }) => fn.max('quota_used').as('amount'))
    .executeTakeFirstOrThrow()
  expect(most.amount).toBe(one(2))
  expect(await accountOf(kit.deps(), 7)).toMatchObject({ balance: 0n, held: 0n })
  expect(await kit.books()).toEqual([])
}, 60_000)

describe('the books', () => {
  const spoil = async (statement: string): Promise<void> => {
    await kit.give(one(10))
    const key = await kit.addKey(ZERO)
    await kit.hold('req_a', one(2), key)
    await kit.settle('req_a', 1, key)
    expect(await kit.books()).toEqual([])
    await sql.raw(statement).execute(kit.made.db.query)
    expect((await kit.books()).length).toBeGreaterThan(0)
  }
  test('find a log row whose cost was changed', () => spoil('update logs set cost = cost + 1'))
  test('find a log row whose tokens were changed', () => spoil('update logs set input_tokens = input_tokens + 1'))
  test('find a balance that was changed', () => spoil('update accounts set balance = balance + 1'))
  test('find a hold that was lost', () => spoil('update accounts set held = held + 1'))
  test('find a ledger entry that was removed', () => spoil("delete from ledger_entries where kind = 'usage'"))
  test('find a log row that was removed', () => spoil('delete from logs'))
  test('find a key quota that was changed', () => spoil('update api_keys set quota_used = quota_used + 1'))
})
