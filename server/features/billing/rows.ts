import { money, type Money } from '../../../contract/money.ts'
import type { HoldOperation, SettleOperation } from './operations.ts'

/** The row of a hold of `amount`. */
export function rowOfHold(op: Omit<HoldOperation, 'day'>, amount: Money) {
  return {
    id: op.requestId,
    account_id: op.accountId,
    api_key_id: op.quotaKeyId,
    instance: op.instance,
    amount,
    created_at: op.now,
    deadline_at: op.deadlineAt,
    context: op.context,
  }
}

/** The ledger entry of a call that was charged. @param gifted the gifted part, signed as the entry */
export function rowOfCharge(op: SettleOperation, charged: Money, gifted: Money, balanceAfter: Money) {
  return {
    account_id: op.accountId,
    kind: 'usage',
    reference: op.requestId,
    amount: money(-charged),
    gifted,
    balance_after: balanceAfter,
    actor_user_id: null,
    reason: '',
    note: '',
    created_at: op.now,
  }
}

/**
 * The log row of a call. Its cost is what was taken, so that a balance falls by exactly the sum of its rows. Its time is that of
 * settling, so that rows are in the order of their ids and a quota's reset cuts cleanly between them.
 */
export function rowOfLog(op: SettleOperation, hold: Money, charged: Money) {
  const uncollected = money(op.cost - charged)
  const { charge_note: note } = op.log
  const missing = `${note}${note === '' ? '' : '; '}the account could not pay all of it`
  return { ...op.log, created_at: op.now, cost: charged, hold, uncollected, charge_note: uncollected === 0n ? note : missing }
}
