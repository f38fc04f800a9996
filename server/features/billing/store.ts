import { money, ZERO, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { BatchTransaction } from '../../db/writer.ts'
import { monthOf } from './calendar.ts'
import type {
  CreditOperation,
  CreditResult,
  HoldOperation,
  HoldResult,
  PartOperation,
  RaiseOperation,
  Refusal,
  SettleOperation,
  SettleResult,
} from './operations.ts'
import { rowOfCharge, rowOfHold, rowOfLog } from './rows.ts'
import { ledgerStatements, type LedgerStatements } from './statements/store.ts'

/**
 * The last call may be held for up to a ninth more than is left: an estimate that is a little high must not make the
 * end of a balance unusable. Only when nothing else is held, so what can be missing is one ninth of one call.
 */
const LAST_CALL_TENTHS = 9n

/** Runs the ledger's operations inside the writer's transaction: conditional statements only, compiled once. */
export class LedgerStore {
  readonly #statements: LedgerStatements

  constructor(db: Database) {
    this.#statements = ledgerStatements(db)
  }

  /** Reserves on the key's quota and on the account, or on neither. */
  async hold(tx: BatchTransaction, op: HoldOperation): Promise<HoldResult> {
    const account = await this.#holdOnAccount(tx, op)
    if (typeof account === 'string') return { ok: false, why: account }
    let amount = account
    if (op.quotaKeyId !== null) {
      const key = await this.#holdOnKey(tx, op.quotaKeyId, amount, op)
      if (typeof key === 'string') {
        await tx.run(this.#statements.unhold, { id: op.accountId, amount, now: op.now })
        return { ok: false, why: key }
      }
      if (key < amount) {
        await tx.run(this.#statements.unhold, { id: op.accountId, amount: money(amount - key), now: op.now })
        amount = key
      }
    }
    await tx.run(this.#statements.insertHold, rowOfHold(op, amount))
    return { ok: true, amount }
  }

  /** Holds more for a running call, all of it or nothing; false when the money, the quota or the hold is not there. */
  async raise(tx: BatchTransaction, op: RaiseOperation): Promise<boolean> {
    const { accountId: id, quotaKeyId, amount, now } = op
    const dates = datesOf(op)
    if (!(await tx.first(this.#statements.raiseHold, { id: op.requestId, amount }))) return false
    if (await tx.first(this.#statements.holdStrict, { id, amount, now, ...dates })) {
      if (quotaKeyId === null || (await tx.first(this.#statements.keyHold, { id: quotaKeyId, amount, now, ...dates }))) return true
      await tx.run(this.#statements.unhold, { id, amount, now })
    }
    await tx.first(this.#statements.raiseHold, { id: op.requestId, amount: money(-amount) })
    return false
  }

  /** Splits a hold: what is held for the account and its key stays the same. @returns the part, at most what was left */
  async part(tx: BatchTransaction, op: PartOperation): Promise<Money> {
    const left = ((await tx.first(this.#statements.heldBy, { id: op.from }))?.['amount'] as Money | undefined) ?? ZERO
    const amount = op.amount < left ? op.amount : left
    await tx.first(this.#statements.raiseHold, { id: op.from, amount: money(-amount) })
    await tx.run(this.#statements.insertHold, {
      id: op.requestId,
      account_id: op.accountId,
      api_key_id: op.quotaKeyId,
      instance: op.instance,
      amount,
      created_at: op.now,
      deadline_at: op.deadlineAt,
      context: op.context,
    })
    return amount
  }

  async #holdOnAccount(tx: BatchTransaction, op: HoldOperation): Promise<Money | Refusal> {
    const { accountId: id, amount, now } = op
    const dates = datesOf(op)
    if (await tx.first(this.#statements.holdStrict, { id, amount, now, ...dates })) return amount
    const last = await tx.first(this.#statements.holdLast, { id, least: leastOf(amount), now, ...dates })
    if (last) return last['held'] as Money
    const account = await tx.first(this.#statements.account, { id })
    if (!account) return 'insufficient_balance'
    const balance = account['balance'] as bigint
    if (balance < 0n) return 'account_in_debt'
    return balance - (account['held'] as bigint) >= amount ? 'user_budget_exceeded' : 'insufficient_balance'
  }

  async #holdOnKey(tx: BatchTransaction, id: number, amount: Money, op: HoldOperation): Promise<Money | Refusal> {
    const { now } = op
    const dates = datesOf(op)
    if (await tx.first(this.#statements.keyHold, { id, amount, now, ...dates })) return amount
    const last = await tx.first(this.#statements.keyHoldLast, { id, least: leastOf(amount), now, ...dates })
    if (last) return last['quota_held'] as Money
    const key = await tx.first(this.#statements.key, { id })
    const limit = (key?.['quota_limit'] ?? 0n) as bigint
    const used = ((key?.['quota_used'] ?? 0n) as bigint) + ((key?.['quota_held'] ?? 0n) as bigint)
    return key && (limit === 0n || used + amount <= limit) ? 'key_budget_exceeded' : 'key_quota_exceeded'
  }

  /** Takes the hold away, charges, books and logs. Whoever comes second finds no hold and changes nothing. */
  async settle(tx: BatchTransaction, op: SettleOperation): Promise<SettleResult> {
    const taken = await tx.first(this.#statements.takeHold, { id: op.requestId })
    const hold = taken?.['amount'] as Money | undefined
    const quotaKeyId = taken?.['api_key_id'] as number | null | undefined
    if (hold === undefined) return { settled: false, charged: ZERO, balance: ZERO }
    const account = await tx.first(this.#statements.settleAccount, {
      id: op.accountId,
      held: hold,
      cost: op.cost,
      now: op.now,
      ...datesOf(op),
    })
    if (!account) throw new Error(`account ${op.accountId} of request ${op.requestId} does not exist`)
    const balance = account['balance'] as Money
    const charged = money((account['balance_before'] as bigint) - balance)
    if (charged !== 0n) {
      const gifted = money((account['gifted'] as bigint) - (account['gifted_before'] as bigint))
      await tx.run(this.#statements.insertUsage, rowOfCharge(op, charged, gifted, balance))
    }
    if (op.apiKeyId !== null) {
      const { input_tokens: input, output_tokens: output, cached_input_tokens: cached } = op.log
      await tx.run(this.#statements.settleKey, {
        id: op.apiKeyId,
        held: quotaKeyId === op.apiKeyId ? hold : ZERO,
        cost: charged,
        input,
        output,
        cached,
        now: op.now,
        ...datesOf(op),
      })
    }
    await tx.run(this.#statements.insertLog, rowOfLog(op, hold, charged))
    return { settled: true, charged, balance }
  }

  /** Writes the row of a call that never had a hold (refused before it could reserve). */
  async logOnly(tx: BatchTransaction, log: SettleOperation['log']): Promise<void> {
    await tx.run(this.#statements.insertLog, { ...log, hold: ZERO, uncollected: ZERO })
  }

  /** Credits or debits once per kind and reference; a repeat returns the first result. */
  async credit(tx: BatchTransaction, op: CreditOperation): Promise<CreditResult> {
    const before = await tx.first(this.#statements.entry, { kind: op.kind, reference: op.reference })
    if (before) return { ok: true, entryId: before['id'] as number, balance: before['balance_after'] as Money, repeated: true }
    const move = { id: op.accountId, amount: op.amount, gifted: op.gifted, now: op.now }
    const row =
      op.expected === undefined
        ? await tx.first(this.#statements.credit, move)
        : await tx.first(this.#statements.creditExpected, { ...move, expected: op.expected })
    if (!row) {
      const account = await tx.first(this.#statements.account, { id: op.accountId })
      if (!account) return { ok: false, why: 'no_account' }
      const balance = account['balance'] as Money
      return { ok: false, why: op.expected !== undefined && balance !== op.expected ? 'changed' : 'below_floor', balance }
    }
    const balance = row['balance'] as Money
    const entry = await tx.first(this.#statements.insertEntry, {
      account_id: op.accountId,
      kind: op.kind,
      reference: op.reference,
      amount: op.amount,
      gifted: money((row['gifted'] as bigint) - (row['gifted_before'] as bigint)),
      balance_after: balance,
      actor_user_id: op.actorUserId,
      reason: op.reason,
      note: op.note,
      created_at: op.now,
    })
    return { ok: true, entryId: entry?.['id'] as number, balance, repeated: false }
  }
}

/** The day and month of an operation. */
function datesOf({ day }: { day: number }): { day: number; month: number } {
  return { day, month: monthOf(day) }
}

/** What must be left for a hold of this size to take all that is left. */
export function leastOf(amount: Money): Money {
  return money((amount * LAST_CALL_TENTHS) / 10n)
}
