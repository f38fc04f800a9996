import type { Deps } from '../../http/deps.ts'
import { RateLimiter } from '../../lib/rate-limit.ts'
import { gatewaysOf } from './gateways.ts'
import { requireOrder } from './orders.ts'
import { matchOrder, record, settle } from './settle.ts'
import { expireOrders, forgetCallbacks, healOrders, type OrderRow } from './store.ts'

/** Questions about one order in a minute: more change nothing. */
const MAX_PER_MINUTE = 6
/** How often unpaid orders are looked after. */
export const PAYMENTS_MS = 30_000
/** How long refused callbacks are kept: a dispute about a payment is raised within weeks. */
const KEEP_REFUSED_MS = 90 * 86_400_000

const limiters = new WeakMap<Deps['db'], RateLimiter>()

/** Asks the gateway about an unpaid order where it can be asked, as often as makes sense; what it says counts like a notification. */
export async function recheck(deps: Deps, orderNo: string, userId?: number): Promise<OrderRow> {
  await healOrders(deps.db.query, deps.clock.now())
  const order = await requireOrder(deps, orderNo, userId)
  const limiter = limiters.get(deps.db) ?? new RateLimiter(deps.clock)
  limiters.set(deps.db, limiter)
  if ((order.status !== 'pending' && order.status !== 'expired') || limiter.take(orderNo, MAX_PER_MINUTE) > 0) return order
  const message = await gatewaysOf(deps).of(order.provider).query(orderNo)
  if (message === undefined) return order
  const match = message.ok ? await matchOrder(deps, order.provider, message) : message
  const verdict =
    message.ok && 'order' in match
      ? await settle(deps, match.order, message.tradeNo)
      : { verdict: 'refused' as const, reason: 'reason' in match ? match.reason : '' }
  await record(deps, { orderNo, provider: order.provider, source: 'query', payload: JSON.stringify(message) }, verdict)
  return requireOrder(deps, orderNo, userId)
}

/** By the clock: completes what a crash left, ends what was not paid in time, renews the gateway's document. */
export async function lookAfterOrders(deps: Deps): Promise<void> {
  const now = deps.clock.now()
  const healed = await healOrders(deps.db.query, now)
  if (healed > 0) deps.log.warn('completed orders that were credited before a stop', { orders: healed })
  await expireOrders(deps.db.query, now)
  await forgetCallbacks(deps.db.query, now - KEEP_REFUSED_MS)
  // Also while payments are switched off: orders opened before are still confirmed.
  await gatewaysOf(deps).discovery.refresh()
}
