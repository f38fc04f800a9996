import { EMPTY_USAGE } from '../../../contract/meters.ts'
import { money, MONEY_ONE, ZERO, type Money } from '../../../contract/money.ts'
import { callFacts } from '../../../test/call-facts.ts'
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts'
import { checkBooks } from '../books/service.ts'
import { draftOf } from './draft.ts'
import { createAccount, credit, Ledger } from './service.ts'

export const NOW = Date.UTC(2026, 10, 22)
const CARD = '{"prices":{"input":"1"},"tiers":{},"quota_type":0}'
export const one = (units: bigint | number): Money => money(BigInt(units) * MONEY_ONE)
/** The code of a refusal. */
export const refused = (error: unknown): string => (error as { code: string }).code

export type LedgerKit = Awaited<ReturnType<typeof openLedger>>

/** A ledger on a database of its own, and calls in words of tests. */
export const openLedger = async () => ledgerOn(await openTestDatabase(), 7)

/** The same for another user of a database that is there. */
export async function ledgerOn(made: TestDatabase, userId: number) {
  const ledger = new Ledger(made.db)
  const accountId = await made.db.query.transaction().execute((tx) => createAccount(tx, userId, NOW))
  let serial = userId * 1_000

  const deps = () => ({ db: made.db, clock: { now: () => NOW } })
  const give = (amount: Money, reference = `gift-${serial++}`, gifted: Money = ZERO) =>
    credit(deps(), { accountId, kind: 'recharge', reference, amount, gifted })
  const nextId = (): string => `req_${serial++}`
  const hold = (requestId: string, amount: Money, apiKeyId: number | null = null) =>
    ledger.hold({ requestId, accountId, quotaKeyId: apiKeyId, amount, now: NOW, deadlineAt: NOW + 1, context: '{}' })
  const raise = (requestId: string, amount: Money, apiKeyId: number | null = null) =>
    ledger.raise({ requestId, accountId, quotaKeyId: apiKeyId, amount, now: NOW })

  /** The log row of a call whose input tokens cost 1 per million. */
  const draft = (requestId: string, millions: number, apiKeyId: number | null = null) => {
    const facts = callFacts({ requestId, userId, accountId, apiKeyId, priceSnapshot: CARD, createdAt: NOW })
    const usage = { ...EMPTY_USAGE, input: millions * 1_000_000 }
    const cost = one(millions)
    return draftOf(
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
  }

  const settle = (requestId: string, millions: number, apiKeyId: number | null = null) =>
    ledger.settle({ requestId, accountId, apiKeyId, cost: one(millions), now: NOW, log: draft(requestId, millions, apiKeyId) })

  const addKey = async (quota: Money): Promise<number> => {
    const row = await made.db.query
      .insertInto('api_keys')
      .values({
        user_id: userId,
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

  return { made, ledger, userId, accountId, deps, give, nextId, hold, raise, draft, settle, addKey, books }
}
