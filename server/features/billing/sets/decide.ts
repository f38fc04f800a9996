import { money, ZERO, type Money } from '../../../../contract/money.ts'
import { isEve, monthOf } from '../calendar.ts'
import type { HoldOperation, HoldResult, RaiseOperation, Refusal, SettleOperation } from '../operations.ts'

/**
 * The last call may be held for up to a ninth more than is left: an estimate that is a little high must not make the
 * end of a balance unusable. Only when nothing else is held, so what can be missing is one ninth of one call.
 */
const LAST_CALL_TENTHS = 9n

/** What was spent on the day of the last call, and in its month. */
interface Spent {
  budget_day: number
  spent_day: Money
  spent_month: Money
}

/** Budgets of an account or a key whose row is locked, and what was spent of them. */
interface Budgeted extends Spent {
  budget_daily: Money | null
  budget_monthly: Money | null
}

/** An account whose row is locked by this transaction. */
export interface LockedAccount extends Budgeted {
  id: number
  balance: Money
  held: Money
  gifted: Money
  debt_limit: Money
  spent: Money
  request_count: number
}

/** A key whose row is locked by this transaction. */
export interface LockedKey extends Budgeted {
  id: number
  quota_limit: Money
  quota_used: Money
  quota_held: Money
  total_cost: Money
  request_count: number
  input_tokens: number
  output_tokens: number
  cached_input_tokens: number
  last_used_at: number | null
}

/** Reserves on the account and on the key's quota, or on neither: the rows are as after it. */
export function decideHold(op: HoldOperation, account: LockedAccount | undefined, key: LockedKey | undefined): HoldResult {
  const { amount } = op
  if (!account) return { ok: false, why: 'insufficient_balance' }
  const onAccount = fromAccount(op, account)
  if (typeof onAccount === 'string') return { ok: false, why: onAccount }
  if (op.quotaKeyId === null) {
    account.held = money(account.held + onAccount)
    return { ok: true, amount: onAccount }
  }
  if (!key) return { ok: false, why: 'key_quota_exceeded' }
  const onKey = fromKey({ ...op, amount: onAccount }, key)
  if (typeof onKey === 'string') return { ok: false, why: onKey }
  const held = onKey < amount ? onKey : onAccount
  account.held = money(account.held + held)
  key.quota_held = money(key.quota_held + held)
  return { ok: true, amount: held }
}

/** Holds more for a running call, all of it or nothing. @returns false when the money, the quota or a budget is not there */
export function decideRaise({ amount, quotaKeyId, day }: RaiseOperation, account: LockedAccount, key: LockedKey | undefined): boolean {
  if (account.balance - account.held < amount || !withinBudgets(account, day, account.held + amount)) return false
  if (quotaKeyId !== null) {
    if (!key || !fitsQuota(key, amount) || !withinBudgets(key, day, key.quota_held + amount)) return false
    key.quota_held = money(key.quota_held + amount)
  }
  account.held = money(account.held + amount)
  return true
}

/** Takes back what `decideRaise` added. */
export function undoRaise({ amount }: RaiseOperation, account: LockedAccount, key: LockedKey | undefined): void {
  account.held = money(account.held - amount)
  if (key) key.quota_held = money(key.quota_held - amount)
}

function fromAccount({ amount, day }: HoldOperation, account: LockedAccount): Money | Refusal {
  const { balance, held } = account
  const free = balance - held
  if (free >= amount && withinBudgets(account, day, held + amount)) return amount
  if (held === 0n && balance > 0n && balance >= leastOf(amount) && withinBudgets(account, day, balance)) return balance
  if (balance < 0n) return 'account_in_debt'
  return free >= amount ? 'user_budget_exceeded' : 'insufficient_balance'
}

function fromKey({ amount, day }: HoldOperation, key: LockedKey): Money | Refusal {
  const { quota_limit: limit, quota_used: used, quota_held: held } = key
  const fits = fitsQuota(key, amount)
  if (fits && withinBudgets(key, day, held + amount)) return amount
  const left = money(limit - used)
  if (held === 0n && left > 0n && left >= leastOf(amount) && withinBudgets(key, day, left)) return left
  return fits ? 'key_budget_exceeded' : 'key_quota_exceeded'
}

function fitsQuota({ quota_limit: limit, quota_used: used, quota_held: held }: LockedKey, amount: Money): boolean {
  return limit === 0n || used + held + amount <= limit
}

/** What must be left for a hold of this size to take all that is left. */
function leastOf(amount: Money): Money {
  return money((amount * LAST_CALL_TENTHS) / 10n)
}

/** With what is held then, neither budget is passed. */
function withinBudgets(row: Budgeted, day: number, held: bigint): boolean {
  return (
    (row.budget_daily === null || spentOn(row, day) + held <= row.budget_daily) &&
    (row.budget_monthly === null || spentIn(row, day) + held <= row.budget_monthly)
  )
}

/** What was spent on a day. A row that is a day ahead already stays there: else what was spent after midnight would be forgotten. */
export function spentOn(row: Spent, day: number): Money {
  return row.budget_day === day || isEve(day, row.budget_day) ? row.spent_day : ZERO
}

/** What was spent in the month of a day. */
export function spentIn(row: Spent, day: number): Money {
  return monthOf(row.budget_day) === monthOf(day) || isEve(day, row.budget_day) ? row.spent_month : ZERO
}

function spend(row: Budgeted, day: number, cost: Money): void {
  row.spent_month = money(spentIn(row, day) + cost)
  row.spent_day = money(spentOn(row, day) + cost)
  if (!isEve(day, row.budget_day)) row.budget_day = day
}

/** What a settlement takes, and what of it was gifted money; the account is as after it. */
export function decideCharge(op: SettleOperation, hold: Money, account: LockedAccount): { charged: Money; gifted: Money } {
  const limit = account.balance + account.debt_limit
  const charged = money(limit >= op.cost ? op.cost : limit)
  // Gifts pay for all of the cost that they can.
  const gifted = account.gifted > op.cost ? op.cost : account.gifted
  account.held = money(account.held - hold)
  account.balance = money(account.balance - charged)
  account.gifted = money(account.gifted - gifted)
  account.spent = money(account.spent + charged)
  account.request_count += 1
  spend(account, op.day, charged)
  return { charged, gifted }
}

/** The key's counters after a call of it. */
export function countOnKey(op: SettleOperation, hold: Money, charged: Money, key: LockedKey): void {
  key.quota_held = money(key.quota_held - hold)
  key.quota_used = money(key.quota_used + charged)
  key.total_cost = money(key.total_cost + charged)
  key.request_count += 1
  key.input_tokens += op.log.input_tokens
  key.output_tokens += op.log.output_tokens
  key.cached_input_tokens += op.log.cached_input_tokens
  key.last_used_at = op.now
  spend(key, op.day, charged)
}
