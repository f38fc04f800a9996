import type { AdminOrderWire } from '../../../contract/api/payments.ts'
import { AppError } from '../../../contract/errors.ts'
import { money, ZERO, type Money } from '../../../contract/money.ts'
import type { Deps } from '../../http/deps.ts'
import { recordAudit } from '../audit/service.ts'
import { accountOf, credit } from '../billing/service.ts'
import { clawBack } from '../referrals/claw-back.ts'
import { auditOf, type Actor } from './admin.ts'
import { requireOrder } from './orders.ts'
import { markClawedBack, moveOrder, selectBookings, selectClawbacks } from './store.ts'
import { adminOrderWireOf } from './wire.ts'

/** Tries of a debit that is reckoned from the balance; each loses only to a charge that happened meanwhile. */
const TRIES = 20
/** Commissions are taken back this long after the refund: by then those of the last calls are written (referrals/earn.ts). */
const CLAWBACK_AFTER_MS = 60_000
/** Refunds whose commissions are taken back in one run. */
const CLAWBACK_BATCH = 50

/** What a refund takes off, from the state of the account. */
interface RefundShare {
  /** Off the balance. */
  debit: Money
  /** The part of `debit` that is gifted money. */
  gifted: Money
  /** Of the payment, what was already spent. */
  spent: Money
  /** Of the payment, what cannot be had any more. */
  uncollected: Money
}

/**
 * The rule of a refund (docs/payments.md). An ordinary one takes what is left of the payment: paid money that is neither
 * spent nor held by a running call, at most the amount of the order. A chargeback takes everything that is free, given
 * money too, up to the amount; what is missing was spent and cannot be collected.
 */
export function refundShare(amount: Money, account: { balance: Money; gifted: Money; held: Money }, chargeback: boolean): RefundShare {
  const least = (...values: bigint[]): bigint => values.reduce((a, b) => (a < b ? a : b))
  const atLeastZero = (value: bigint): bigint => (value > 0n ? value : 0n)
  const free = atLeastZero(account.balance - account.held)
  const paid = least(amount, atLeastZero(account.balance - account.gifted), free)
  const debit = chargeback ? least(amount, free) : paid
  return {
    debit: money(debit),
    gifted: money(debit - paid),
    spent: chargeback ? money(amount - paid) : ZERO,
    uncollected: chargeback ? money(amount - debit) : ZERO,
  }
}

/**
 * Refunds a paid order once: first the booking, then the state, as with the credit; repeated after a crash it goes on
 * where it stopped.
 * @throws AppError payment_order_missing | payment_order_state | payment_nothing_left
 */
export async function refund(
  deps: Deps,
  orderNo: string,
  input: { reason: string; chargeback: boolean },
  actor: Actor,
): Promise<AdminOrderWire> {
  const before = await requireOrder(deps, orderNo)
  if (before.status !== 'paid') throw new AppError('payment_order_state')
  const share = await debit(deps, before, input, actor)
  const now = deps.clock.now()
  const after = await moveOrder(
    deps.db.query,
    orderNo,
    ['paid'],
    {
      status: 'refunded',
      closed_reason: input.reason,
      refunded_amount: share.debit,
      refund_uncollected: share.uncollected,
      clawback_base: share.spent,
    },
    now,
  )
  if (!after) throw new AppError('payment_order_state')
  await recordAudit(deps.db.query, auditOf(input.chargeback ? 'chargeback' : 'refund', before, after, actor, now))
  return adminOrderWireOf(after, now)
}

async function debit(
  deps: Deps,
  order: { order_no: string; user_id: number; account_id: number; amount: Money },
  { reason, chargeback }: { reason: string; chargeback: boolean },
  actor: Actor,
): Promise<RefundShare> {
  const booked = (await selectBookings(deps.db.query, order.order_no)).find(({ kind }) => kind === 'refund')
  if (booked) {
    // A crash came between booking and state: what was taken stands, what it means is reckoned from that.
    const taken = money(-booked.amount)
    const missing = chargeback ? money(order.amount - taken) : ZERO
    return { debit: taken, gifted: ZERO, spent: chargeback ? money(order.amount - taken - booked.gifted) : ZERO, uncollected: missing }
  }
  for (let attempt = 1; ; attempt += 1) {
    const account = await accountOf(deps, order.user_id)
    const share = refundShare(order.amount, account, chargeback)
    if (share.debit === 0n && !chargeback) throw new AppError('payment_nothing_left')
    if (share.debit === 0n) return share
    try {
      const { repeated } = await credit(deps, {
        accountId: order.account_id,
        kind: 'refund',
        reference: order.order_no,
        amount: money(-share.debit),
        gifted: money(-share.gifted),
        expected: account.balance,
        actorUserId: actor.userId,
        reason,
      })
      // Somebody else refunds at the same moment: he finishes it.
      if (repeated) throw new AppError('payment_order_state')
      return share
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'conflict' || attempt === TRIES) throw error
    }
  }
}

/** Takes back the commissions of usage that turned out not to be paid, once per order. */
export async function clawBackCommissions(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  const now = deps.clock.now()
  for (const order of await selectClawbacks(deps.db.query, now - CLAWBACK_AFTER_MS, CLAWBACK_BATCH)) {
    await clawBack(deps, { userId: order.user_id, base: order.clawback_base, orderNo: order.order_no })
    await markClawedBack(deps.db.query, order.id, now)
  }
}
