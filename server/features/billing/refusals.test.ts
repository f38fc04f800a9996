import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { money, ZERO } from '../../../contract/money.ts'
import { accountOf, accountsOf, adjustBalance, credit } from './service.ts'
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts'
import { ledgerOn, NOW, one, refused, type LedgerKit } from './test-kit.ts'

/* What the ledger does not do, and that nothing has moved then. */

/** A new user in each test, on one database. */
let kit: LedgerKit
let made: TestDatabase
let users = 0
beforeAll(async () => {
  made = await openTestDatabase()
})
beforeEach(async () => {
  kit = await ledgerOn(made, (users += 1))
})
afterAll(() => made.drop())

const account = () => accountOf(kit.deps(), kit.userId)
const id = (name: string): string => `${name}-${kit.userId}`

const heldOfKey = async (key: number): Promise<bigint> =>
  (await kit.made.db.query.selectFrom('api_keys').select('quota_held').where('id', '=', key).executeTakeFirstOrThrow()).quota_held

test('an account that does not exist holds, raises and takes nothing', async () => {
  const nobody = { accountId: 4_711, quotaKeyId: null, now: NOW }
  const hold = kit.ledger.hold({ ...nobody, requestId: id('req_a'), amount: one(1), deadlineAt: NOW, context: '{}' })
  expect(await hold.catch(refused)).toBe('insufficient_balance')
  expect(await kit.ledger.raise({ ...nobody, requestId: id('req_a'), amount: one(1) })).toBe(false)
  const gift = { accountId: nobody.accountId, kind: 'recharge' as const, reference: 'r', amount: one(1) }
  expect(await credit(kit.deps(), gift).catch(refused)).toBe('not_found')
  expect(await accountOf(kit.deps(), 4_711).catch(refused)).toBe('not_found')
  expect(await kit.made.db.query.selectFrom('ledger_entries').select('id').where('reference', '=', 'r').execute()).toEqual([])
})

test('a key that is gone has no quota: nothing is held or raised on it', async () => {
  await kit.give(one(10))
  expect(await kit.hold(id('req_a'), one(1), 4_711).catch(refused)).toBe('key_quota_exceeded')
  await kit.hold(id('req_b'), one(1))
  expect(await kit.raise(id('req_b'), one(1), 4_711)).toBe(false)
  expect(await account()).toMatchObject({ held: one(1) })
  expect(await kit.books()).toEqual([])
})

test('a raise is all or nothing, on the account and on the key', async () => {
  await kit.give(one(10))
  const key = await kit.addKey(one(5))
  await kit.hold(id('req_a'), one(3), key)
  expect(await kit.raise(id('req_a'), one(2), key)).toBe(true)
  expect(await heldOfKey(key)).toBe(one(5))
  // The account could, the key cannot; then the other way round.
  expect(await kit.raise(id('req_a'), money(1n), key)).toBe(false)
  await kit.hold(id('req_b'), one(5))
  expect(await kit.raise(id('req_b'), money(1n))).toBe(false)
  expect(await account()).toMatchObject({ held: one(10) })
  expect(await heldOfKey(key)).toBe(one(5))
  expect(await kit.books()).toEqual([])
})

test('what was settled, or never was, cannot be raised: neither account nor key holds more', async () => {
  await kit.give(one(10))
  const key = await kit.addKey(one(5))
  await kit.hold(id('req_a'), one(1), key)
  await kit.settle(id('req_a'), 1, key)
  expect(await Promise.all([kit.raise(id('req_a'), one(1), key), kit.raise(id('req_never'), one(1))])).toEqual([false, false])
  expect(await account()).toMatchObject({ balance: one(9), held: ZERO })
  expect(await heldOfKey(key)).toBe(ZERO)
  expect(await kit.books()).toEqual([])
})

test('a call asks for one step at a time: of two raises at once one is refused', async () => {
  await kit.give(one(10))
  await kit.hold(id('req_a'), one(1))
  const raised = await Promise.all([kit.raise(id('req_a'), one(1)), kit.raise(id('req_a'), one(1))])
  expect(raised).toEqual([true, false])
  expect(await account()).toMatchObject({ held: one(2) })
  expect(await kit.books()).toEqual([])
})

test('the last of a quota is taken only where nothing of it is held and the estimate is at most a ninth too high', async () => {
  await kit.give(one(100))
  const key = await kit.addKey(one(9))
  expect(await kit.hold(id('req_a'), one(11), key).catch(refused)).toBe('key_quota_exceeded')
  expect(await kit.hold(id('req_b'), one(10), key)).toBe(one(9))
  expect(await account()).toMatchObject({ held: one(9) })
  await kit.settle(id('req_b'), 9, key)
  const other = await kit.addKey(one(9))
  await kit.hold(id('req_c'), one(1), other)
  expect(await kit.hold(id('req_d'), one(9), other).catch(refused)).toBe('key_quota_exceeded')
  expect(await kit.books()).toEqual([])
})

test('a part of a hold is at most what is left of it, and holds nothing more for the account', async () => {
  await kit.give(one(10))
  await kit.hold(id('req_a'), one(3))
  const part = (requestId: string, from: string) =>
    kit.ledger.part({
      requestId,
      from,
      accountId: kit.accountId,
      quotaKeyId: null,
      amount: one(2),
      now: NOW,
      deadlineAt: NOW + 1,
      context: '{}',
    })
  expect([await part(id('req_1'), id('req_a')), await part(id('req_2'), id('req_a')), await part(id('req_3'), id('req_a'))]).toEqual([
    one(2),
    one(1),
    ZERO,
  ])
  expect(await part(id('req_4'), id('req_never'))).toBe(ZERO)
  expect(await account()).toMatchObject({ held: one(3) })
  await Promise.all([id('req_a'), id('req_1'), id('req_2'), id('req_3'), id('req_4')].map((request) => kit.settle(request, 0)))
  expect(await account()).toMatchObject({ balance: one(10), held: ZERO })
  expect(await kit.books()).toEqual([])
})

test('an absolute balance that is there already books nothing', async () => {
  await kit.give(one(5))
  const change = { accountId: kit.accountId, userId: kit.userId, to: one(5), actorUserId: 1, reason: 'correction', note: '' }
  expect(await adjustBalance(kit.deps(), change)).toEqual({ entryId: undefined, balance: one(5) })
  expect(await adjustBalance(kit.deps(), { ...change, to: one(1), expected: one(4) }).catch(refused)).toBe('conflict')
  expect(await kit.books()).toEqual([])
})

test('an absolute balance below the floor is refused at once, and nothing is booked', async () => {
  await kit.give(one(5))
  const change = { accountId: kit.accountId, userId: kit.userId, actorUserId: 1, reason: 'correction', note: '' }
  expect(await adjustBalance(kit.deps(), { ...change, to: one(-2) }).catch(refused)).toBe('bad_request')
  expect(await account()).toMatchObject({ balance: one(5) })
  expect(await adjustBalance(kit.deps(), { ...change, to: one(-1) })).toMatchObject({ balance: one(-1) })
  expect(await kit.books()).toEqual([])
})

test('what is given by hand is paid money unless it is called a gift; what is taken by hand is gifted money first', async () => {
  const change = { accountId: kit.accountId, userId: kit.userId, actorUserId: 1, reason: 'by hand', note: 'n' }
  await adjustBalance(kit.deps(), { ...change, delta: one(3) })
  expect(await account()).toMatchObject({ balance: one(3), gifted: ZERO })
  await adjustBalance(kit.deps(), { ...change, delta: one(2), gifted: true })
  expect(await account()).toMatchObject({ balance: one(5), gifted: one(2) })
  await adjustBalance(kit.deps(), { ...change, delta: one(-1) })
  expect(await account()).toMatchObject({ balance: one(4), gifted: one(1) })
  await adjustBalance(kit.deps(), { ...change, to: one(2) })
  expect(await account()).toMatchObject({ balance: one(2), gifted: ZERO })
  const rows = kit.made.db.query.selectFrom('ledger_entries').select(['kind', 'amount', 'gifted', 'actor_user_id', 'reason', 'note'])
  const common = { kind: 'adjustment', actor_user_id: 1, reason: 'by hand', note: 'n' }
  expect(await rows.where('account_id', '=', kit.accountId).orderBy('id').execute()).toEqual([
    { ...common, amount: one(3), gifted: ZERO },
    { ...common, amount: one(2), gifted: one(2) },
    { ...common, amount: one(-1), gifted: one(-1) },
    { ...common, amount: one(-2), gifted: one(-1) },
  ])
  expect(await kit.books()).toEqual([])
})

test('of what comes at the same moment, ended calls go first, then those that run, then new ones', async () => {
  await kit.give(one(10))
  await Promise.all([kit.hold(id('req_a'), one(5)), kit.hold(id('req_b'), one(5))])
  const [held, raised, settled] = await Promise.all([
    kit.hold(id('req_c'), one(3)).catch(refused),
    kit.raise(id('req_b'), one(3)),
    kit.settle(id('req_a'), 1),
  ])
  // Nine are left of ten, five of them held: three more for the call that runs, and none for the new one.
  expect([held, raised, settled]).toEqual(['insufficient_balance', true, { settled: true, charged: one(1), balance: one(9) }])
  expect(await account()).toMatchObject({ balance: one(9), held: one(8) })
  expect(await kit.books()).toEqual([])
})

test('a call is not settled on an account that is not there: what is held stays held, and the call is looked at again', async () => {
  await kit.give(one(10))
  await kit.hold(id('req_a'), one(4))
  const log = kit.draft(id('req_a'), 1)
  const wrong = kit.ledger.settle({ requestId: id('req_a'), accountId: 4_711, apiKeyId: null, cost: one(1), now: NOW, log })
  expect(await wrong.catch(String)).toBe(`Error: account 4711 of request ${id('req_a')} does not exist`)
  expect([...kit.ledger.unconfirmed]).toEqual([id('req_a')])
  expect(await account()).toMatchObject({ balance: one(10), held: one(4) })
  expect(await kit.settle(id('req_a'), 1)).toEqual({ settled: true, charged: one(1), balance: one(9) })
  expect(await kit.books()).toEqual([])
})

test('accounts of nobody are none', async () => {
  expect(await accountsOf(kit.deps(), [])).toEqual(new Map())
  expect([...(await accountsOf(kit.deps(), [kit.userId, 4_711])).keys()]).toEqual([kit.userId])
})

test('who is refused is told what to do about it', async () => {
  await kit.give(one(5))
  const told = (error: unknown): string => (error as Error).message
  const change = { accountId: kit.accountId, userId: kit.userId, actorUserId: 1, reason: 'correction', note: '' }
  const changed = 'The balance has changed meanwhile; load it again'
  expect(await adjustBalance(kit.deps(), { ...change, delta: one(1), expected: one(4) }).catch(told)).toBe(changed)
  expect(await adjustBalance(kit.deps(), { ...change, to: one(1), expected: one(4) }).catch(told)).toBe(changed)
  const below = 'The balance cannot be taken that far below zero'
  expect(await adjustBalance(kit.deps(), { ...change, delta: one(-7) }).catch(told)).toBe(below)
  expect(await accountOf(kit.deps(), 4_711).catch(told)).toBe('User not found')
  const nobody = { accountId: 4_711, kind: 'recharge' as const, reference: id('r'), amount: one(1) }
  expect(await credit(kit.deps(), nobody).catch(told)).toBe('User not found')
})

test('a credit is one of its kind and reference: a repeat answers the first result, whatever has moved since', async () => {
  const top = { accountId: kit.accountId, kind: 'recharge' as const, reference: id('order'), amount: one(5) }
  const first = await credit(kit.deps(), top)
  expect(first).toMatchObject({ repeated: false, balance: one(5) })
  await kit.give(one(2))
  expect(await credit(kit.deps(), top)).toMatchObject({ repeated: true, entryId: first.entryId, balance: one(5) })
  // Another kind is another booking, and another reference too.
  expect(await credit(kit.deps(), { ...top, kind: 'opening' })).toMatchObject({ repeated: false, balance: one(12) })
  expect(await account()).toMatchObject({ balance: one(12), gifted: ZERO })
  const entries = kit.made.db.query.selectFrom('ledger_entries').selectAll().where('reference', '=', id('order')).orderBy('id')
  const plain = { account_id: kit.accountId, gifted: ZERO, actor_user_id: null, reason: '', note: '', created_at: NOW, amount: one(5) }
  expect(await entries.execute()).toMatchObject([
    { ...plain, id: first.entryId, kind: 'recharge', balance_after: one(5) },
    { ...plain, kind: 'opening', balance_after: one(12) },
  ])
  expect(await kit.books()).toEqual([])
})
