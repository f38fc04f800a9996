import type { CallbackWire } from '../../../contract/api/payments.ts'
import type { Deps } from '../../http/deps.ts'
import { credit } from '../billing/service.ts'
import type { PaidMessage } from './provider.ts'
import { findOrder, insertCallback, moveOrder, type OrderRow } from './store.ts'

/** Longest kept text of what was received. */
const MAX_PAYLOAD = 2_000

export interface Verdict {
  verdict: CallbackWire['verdict']
  reason: string
}

/** Compares a believed message with its order. @returns the order, or why it is not about it */
export async function matchOrder(
  deps: Pick<Deps, 'db'>,
  provider: string,
  message: PaidMessage,
): Promise<{ order: OrderRow } | { reason: string }> {
  const order = await findOrder(deps.db.query, message.orderNo)
  if (!order) return { reason: 'there is no such order' }
  if (order.provider !== provider) return { reason: `the order belongs to ${order.provider}` }
  if (order.pay_currency !== message.currency) return { reason: `the order is in ${order.pay_currency}` }
  if (message.reference !== undefined && message.reference !== order.gateway_reference) return { reason: 'another session of the order' }
  if (order.pay_amount !== message.cents) return { reason: 'the amount differs' }
  return { order }
}

/** Credits what a believed message says was paid, when it is about an order as we know it. */
export async function settleMessage(deps: Deps, provider: string, message: PaidMessage): Promise<Verdict> {
  const match = await matchOrder(deps, provider, message)
  return 'order' in match ? settle(deps, match.order, message.tradeNo) : { verdict: 'refused', reason: match.reason }
}

/** Credits what was paid. A late payment counts; a cancelled order waits for a person. */
async function settle(deps: Deps, order: OrderRow, tradeNo: string): Promise<Verdict> {
  if (order.status === 'cancelled') return { verdict: 'refused', reason: 'the order was cancelled; complete it by hand if the money came' }
  if (order.status === 'paid' || order.status === 'refunded') {
    const same = order.trade_no === '' || order.trade_no === tradeNo
    // Completed by hand or healed: the gateway's number was not known then.
    if (order.trade_no === '')
      await moveOrder(deps.db.query, order.order_no, ['paid'], { status: 'paid', trade_no: tradeNo }, deps.clock.now())
    return { verdict: 'repeated', reason: same ? 'credited before' : `credited before; another trade number: ${tradeNo}` }
  }
  const repeated = await book(deps, order, tradeNo, { actorUserId: null, reason: '' })
  return repeated ? { verdict: 'repeated', reason: 'credited before' } : { verdict: 'credited', reason: '' }
}

/**
 * First the credit, once per order number, then the state: a crash between them is healed by the next notification or by
 * the job, and neither can credit again.
 * @returns true when it had been credited before
 */
export async function book(
  deps: Deps,
  order: OrderRow,
  tradeNo: string,
  by: { actorUserId: number | null; reason: string },
): Promise<boolean> {
  const { repeated } = await credit(deps, {
    accountId: order.account_id,
    kind: 'recharge',
    reference: order.order_no,
    amount: order.amount,
    ...by,
  })
  const now = deps.clock.now()
  const change = { status: 'paid', trade_no: tradeNo, paid_at: now, closed_reason: by.reason } as const
  await moveOrder(deps.db.query, order.order_no, ['pending', 'expired', 'cancelled', 'paid'], change, now)
  return repeated
}

/** Writes down a callback and what was made of it. */
export async function record(
  deps: Pick<Deps, 'db' | 'clock'>,
  about: { orderNo: string; provider: string; source: CallbackWire['source']; payload: string },
  verdict: Verdict,
): Promise<void> {
  await insertCallback(deps.db.query, {
    order_no: about.orderNo,
    provider: about.provider,
    source: about.source,
    ...verdict,
    payload: about.payload.slice(0, MAX_PAYLOAD),
    created_at: deps.clock.now(),
  })
}
