import { afterEach, beforeEach, expect, test } from 'bun:test'
import { EMPTY_USAGE } from '../../../contract/meters.ts'
import { money, MONEY_ONE, type Money } from '../../../contract/money.ts'
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts'
import type { Database } from '../../db/open.ts'
import type { BatchTransaction, Operation, OperationSet, SubmitOptions } from '../../db/writer.ts'
import { checkBooks } from '../books/service.ts'
import { draftOf } from './draft.ts'
import { accountOf, createAccount, Ledger } from './service.ts'
import { callFacts } from '../../../test/call-facts.ts'

/** promises.md M3: the N-th statement of a call's life fails, for every N; the caller tries again as a careful one would. */
const NOW = Date.UTC(2026, 10, 23)
/** More than any path through the ledger has. */
const MOST_STATEMENTS = 60
const one = (units: number): Money => money(BigInt(units) * MONEY_ONE)
const card = '{"prices":{"input":"1"},"tiers":{},"quota_type":0}'

let made: TestDatabase
beforeEach(async () => {
  made = await openTestDatabase()
})
afterEach(() => made.drop())

/** Fails the `nth` statement that is run through it, before or after the engine has done it; once. */
class Fault {
  left: number
  readonly #after: boolean

  constructor(nth: number, after: boolean) {
    this.left = nth
    this.#after = after
  }

  through(tx: BatchTransaction): BatchTransaction {
    const checked = <T>(result: T): T => {
      if (this.left === 0) throw new Error('planted: after the statement')
      return result
    }
    // What the engine answers at once stays so.
    const run = <T>(statement: () => T | Promise<T>): T | Promise<T> => {
      this.left -= 1
      if (this.left === 0 && !this.#after) throw new Error('planted: before the statement')
      const result = statement()
      return result instanceof Promise ? result.then((value) => checked(value)) : checked(result)
    }
    return {
      run: (statement, values) => run(() => tx.run(statement, values)),
      all: (statement, values) => run(() => tx.all(statement, values)),
      first: (statement, values) => run(() => tx.first(statement, values)),
    }
  }
}

/** The same database, whose writer hands out transactions with a fault. */
function faulty(db: Database, fault: Fault): Database {
  const { writer } = db
  const wrapped = {
    submit: <T>(operation: Operation<T>, options?: SubmitOptions) => writer.submit((tx) => operation(fault.through(tx)), options),
    submitTo: <I, T>(set: OperationSet<I, T>, input: I, options?: SubmitOptions) =>
      writer.submitTo({ runAll: (tx, inputs: readonly I[]) => set.runAll(fault.through(tx), inputs) }, input, options),
  }
  return { ...db, writer: wrapped as unknown as Database['writer'] }
}

/** Does it, and once more when it failed: what a caller with the same reference does. */
async function twice<T>(work: () => Promise<T>): Promise<{ result: T; failed: boolean }> {
  try {
    return { result: await work(), failed: false }
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('planted')) throw error
    return { result: await work(), failed: true }
  }
}

for (const after of [false, true])
  test(`M3: whichever statement fails (${after ? 'after' : 'before'} it was done), the money moves exactly once`, async () => {
    let faults = 0
    for (let nth = 1; nth <= MOST_STATEMENTS; nth += 1) {
      const userId = nth
      const accountId = await made.db.query.transaction().execute((tx) => createAccount(tx, userId, NOW))
      const fault = new Fault(nth, after)
      const ledger = new Ledger(faulty(made.db, fault))
      const requestId = `req_${nth}`
      const top = { accountId, kind: 'recharge', reference: `order-${nth}`, amount: one(10), gifted: one(0), expected: undefined } as const
      const book = () => ledger.credit({ ...top, actorUserId: null, reason: '', note: '', now: NOW })
      const paid = await twice(book)
      // A repeat of the same reference answers the first result.
      expect((await twice(book)).result).toMatchObject({ ok: true, repeated: true, balance: one(10) })
      const call = { requestId, accountId, now: NOW }
      const held = await twice(() => ledger.hold({ ...call, quotaKeyId: null, amount: one(4), deadlineAt: NOW + 1, context: '{}' }))
      const raised = await twice(() => ledger.raise({ ...call, quotaKeyId: null, amount: one(1) }))
      expect(raised.result).toBe(true)
      const facts = callFacts({ ...call, userId, ip: '', priceSnapshot: card, createdAt: NOW })
      const how = {
        status: 200,
        endReason: 'complete' as const,
        usageSource: 'upstream' as const,
        usage: { ...EMPTY_USAGE, input: 3_000_000 },
        items: 1,
        baseCost: one(3),
        upstreamCost: null,
        chargeNote: '',
        losses: [],
        attempts: [],
        error: '',
        firstResponseMs: 1,
        responseMs: 1,
      }
      const log = draftOf(facts, undefined, how, one(3))
      const settle = () => ledger.settle({ ...call, apiKeyId: null, cost: one(3), log })
      const settled = await twice(settle)
      expect(settled.result).toMatchObject({ settled: true, charged: one(3) })
      const again = await twice(settle)
      expect(again.result).toMatchObject({ settled: false })
      expect(await accountOf(made, userId)).toMatchObject({ balance: one(7), held: 0n, request_count: 1 })
      if ([paid, held, raised, settled, again].some(({ failed }) => failed)) faults += 1
    }
    expect((await checkBooks(made.options)).differences).toEqual([])
    expect(await made.db.query.selectFrom('holds').select('id').execute()).toEqual([])
    // It did fail, at every statement that there is.
    expect(faults).toBeGreaterThanOrEqual(10)
    expect(faults).toBeLessThan(MOST_STATEMENTS)
  }, 30_000)
