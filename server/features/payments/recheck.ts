import type { Deps } from '../../http/deps.ts'
import { RateLimiter } from '../../lib/rate-limit.ts'
import { gatewaysOf } from './gateways.ts'
import { requireOrder } from './orders.ts'
import { record, settleMessage } from './settle.ts'
import { expireOrders, forgetCallbacks, healOrders, selectUnpaid, type OrderRow } from './store.ts'

/** Questions about one order in a minute: more change nothing. */
const MAX_PER_MINUTE = 6
/** How often unpaid orders are looked after. */
export const PAYMENTS_MS = 30_000
/** How long refused callbacks are kept: a dispute about a payment is raised within weeks. */
const KEEP_REFUSED_MS = 90 * 86_400_000

/** Ages at which an unpaid order is asked for: soon after most people have paid, then rarely, last when its time is over. */
const ASK_AT_MS = [60_000, 180_000, 600_000, 1_800_000, 3_600_000, 7_230_000, 21_600_000]
/** Orders asked for in one run, and how long that may take: a question costs up to five seconds. */
const MAX_ASKED = 100
const MAX_ASKING_MS = 20_000
const lastAsked = new WeakMap<Deps['db'], number>()

const limiters = new WeakMap<Deps['db'], RateLimiter>()

/** Asks the gateway about an unpaid order where it can be asked, as often as makes sense; what it says counts like a notification. */
export async function recheck(deps: Deps, orderNo: string, userId?: number): Promise<OrderRow> {
  await healOrders(deps.db.query, deps.clock.now())
  const order = await requireOrder(deps, orderNo, userId)
  const limiter = limiters.get(deps.db) ?? new RateLimiter(deps.clock)
  limiters.set(deps.db, limiter)
  if ((order.status !== 'pending' && order.status !== 'expired') || limiter.take(orderNo, MAX_PER_MINUTE) > 0) return order
  await ask(deps, order, true)
  return requireOrder(deps, orderNo, userId)
}

/** Asks, credits what was paid, and writes down what was said; "not paid yet" only when a person asked. */
async function ask(deps: Deps, order: OrderRow, byPerson: boolean): Promise<void> {
  const { order_no: orderNo, provider, gateway_reference: reference } = order
  const message = await gatewaysOf(deps).of(provider).query({ orderNo, reference })
  if (message === undefined || (!message.ok && !byPerson)) return
  const verdict = message.ok ? await settleMessage(deps, provider, message) : { verdict: 'refused' as const, reason: message.reason }
  await record(deps, { orderNo, provider, source: 'query', payload: JSON.stringify(message) }, verdict)
}

/**
 * Asks the gateways about unpaid orders nobody told us of: a notification that got lost heals itself. An order is asked for
 * when it comes of each of the ages; which it has had is known by the time of the last run.
 */
async function askForOrders(deps: Deps, now: number): Promise<void> {
  const last = lastAsked.get(deps.db) ?? now - PAYMENTS_MS
  lastAsked.set(deps.db, now)
  const spans = ASK_AT_MS.map((age) => ({ after: last - age, upTo: now - age }))
  const begun = deps.clock.monotonic()
  for (const order of await selectUnpaid(deps.db.query, spans, MAX_ASKED)) {
    // A gateway that hangs must not keep the job from its other work; those left over come of their next age.
    if (deps.clock.monotonic() - begun > MAX_ASKING_MS) return
    await ask(deps, order, false)
  }
}

/** By the clock: completes what a crash left, ends what was not paid in time, renews the gateway's document. */
export async function lookAfterOrders(deps: Deps): Promise<void> {
  const now = deps.clock.now()
  const healed = await healOrders(deps.db.query, now)
  if (healed > 0) deps.log.warn('completed orders that were credited before a stop', { orders: healed })
  await expireOrders(deps.db.query, now)
  await forgetCallbacks(deps.db.query, now - KEEP_REFUSED_MS)
  await askForOrders(deps, now)
  // Also while payments are switched off: orders opened before are still confirmed.
  await gatewaysOf(deps).discovery.refresh()
}
