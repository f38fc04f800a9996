import type { Money } from '../../../contract/money.ts'
import type { NewLog } from '../../db/schema.ts'

/** Reserve the estimate of a call. */
export interface HoldOperation {
  requestId: string
  accountId: number
  /** The key whose quota is reserved too; null: a session pays, or the key has no quota. */
  quotaKeyId: number | null
  amount: Money
  now: number
  /** The day of `now`, see calendar.ts. */
  day: number
  deadlineAt: number
  instance: string
  /** JSON of HoldContext: what a log row needs if this process dies. */
  context: string
}

/** Why nothing is held: the codes the caller is told. */
export type Refusal = 'insufficient_balance' | 'account_in_debt' | 'user_budget_exceeded' | 'key_quota_exceeded' | 'key_budget_exceeded'

export type HoldResult = { ok: true; amount: Money } | { ok: false; why: Refusal }

/** Reserve more for a call that runs: its answer grows beyond what is held. */
export interface RaiseOperation {
  requestId: string
  accountId: number
  quotaKeyId: number | null
  /** What is held in addition. */
  amount: Money
  now: number
  day: number
}

/** Set a part of a call's hold aside for an inner call of it. */
export interface PartOperation extends Omit<HoldOperation, 'day'> {
  /** The request whose hold it is taken from. */
  from: string
}

/** A log row without what settling finds out itself. */
export type LogDraft = Omit<NewLog, 'id' | 'uncollected' | 'hold' | 'charge_note'> & { charge_note: string }

/** End a call: the charge, its ledger entry and its log row, in one transaction, once. */
export interface SettleOperation {
  requestId: string
  accountId: number
  apiKeyId: number | null
  cost: Money
  now: number
  day: number
  log: LogDraft
}

export interface SettleResult {
  /** False when the request was already settled: nothing was changed. */
  settled: boolean
  /** What was really taken. */
  charged: Money
  balance: Money
}

export type LedgerKind = 'usage' | 'recharge' | 'adjustment' | 'check_in' | 'commission' | 'refund' | 'opening' | 'redeem'

/** Put money on an account, or (adjustments, refunds) take it; never below the account's floor. */
export interface CreditOperation {
  accountId: number
  kind: LedgerKind
  /** With the kind the idempotency key. */
  reference: string
  /** Signed. */
  amount: Money
  /** The part of `amount` that is gifted, not paid. */
  gifted: Money
  /** Refuse unless the balance is exactly this (compare and set). */
  expected: Money | undefined
  actorUserId: number | null
  reason: string
  note: string
  now: number
}

export type CreditResult =
  | { ok: true; entryId: number; balance: Money; repeated: boolean }
  | { ok: false; why: 'changed' | 'below_floor' | 'no_account'; balance?: Money }
