import type { AdminOrderDetail, AdminOrderWire, listOrders } from '../../../contract/api/payments.ts'
import { firstPage, pageOf } from '../../../contract/api/common.ts'
import type { QueryOf } from '../../../contract/endpoint.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney, parseMoney } from '../../../contract/money.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime } from '../../lib/clock.ts'
import { recordAudit } from '../audit/service.ts'
import { requireOrder } from './orders.ts'
import { book } from './settle.ts'
import { cancelRow, healOrders, selectBookings, selectCallbacks, selectOrders, type OrderRow } from './store.ts'
import { adminOrderWireOf, callbackWireOf } from './wire.ts'

/** A pending order older than this is worth a look (console.md BC9). */
const OVERDUE_MS = 600_000
/** Callbacks shown of an order: the last ones; a gateway that repeats itself for days sends fewer. */
const MAX_CALLBACKS = 200

export interface Actor {
  userId: number
  ip: string
}

/** @throws AppError bad_request when the amount is no decimal */
export async function searchOrders(deps: Deps, query: QueryOf<typeof listOrders>) {
  const amount = query.amount === undefined ? undefined : parseMoney(query.amount)
  if (query.amount !== undefined && amount === undefined) throw new AppError('bad_request', { message: 'amount must be a plain decimal' })
  const now = deps.clock.now()
  const page = pageOf(query) ?? firstPage
  const { rows, total } = await selectOrders(
    deps.db.query,
    {
      status: query.status,
      provider: query.provider,
      userId: query.user_id,
      orderNo: query.order_no,
      tradeNo: query.trade_no,
      amount,
      from: query.from === undefined ? undefined : Date.parse(query.from),
      to: query.to === undefined ? undefined : Date.parse(query.to),
      refused: query.refused !== undefined,
      pendingBefore: query.overdue === undefined ? undefined : now - OVERDUE_MS,
    },
    page,
  )
  return { items: rows.map((row) => adminOrderWireOf(row, now)), total, page: page.page, page_size: page.pageSize }
}

/** An order with everything that happened to it. @throws AppError payment_order_missing */
export async function orderDetail(deps: Deps, orderNo: string): Promise<AdminOrderDetail> {
  const row = await requireOrder(deps, orderNo)
  const callbacks = await selectCallbacks(deps.db.query, orderNo, MAX_CALLBACKS)
  const bookings = await selectBookings(deps.db.query, orderNo)
  return {
    ...adminOrderWireOf(row, deps.clock.now()),
    callbacks: callbacks.map(callbackWireOf),
    entries: bookings.map(({ id, kind, amount, reason, created_at }) => ({
      id,
      kind,
      amount: formatMoney(amount),
      reason,
      created_at: isoTime(created_at),
    })),
  }
}

/**
 * Completes or cancels an unpaid order by hand; its amount cannot be changed.
 * @throws AppError payment_order_missing | payment_order_state
 */
export async function resolve(
  deps: Deps,
  orderNo: string,
  input: { outcome: 'paid' | 'cancelled'; reason: string; trade_no: string },
  actor: Actor,
): Promise<AdminOrderWire> {
  const { db, clock } = deps
  const now = clock.now()
  await healOrders(db.query, now)
  const before = await requireOrder(deps, orderNo)
  if (before.status === 'paid' || before.status === 'refunded') throw new AppError('payment_order_state')
  if (input.outcome === 'paid') {
    const repeated = await book(deps, before, input.trade_no, { actorUserId: actor.userId, reason: input.reason })
    const after = await requireOrder(deps, orderNo)
    if (repeated) throw new AppError('payment_order_state')
    await recordAudit(db.query, auditOf('complete', before, after, actor, now))
    return adminOrderWireOf(after, now)
  }
  const after = await db.query.transaction().execute(async (tx) => {
    const row = await cancelRow(tx, orderNo, input.reason, now)
    if (!row) throw new AppError('payment_order_state')
    await recordAudit(tx, auditOf('cancel', before, row, actor, now))
    return row
  })
  return adminOrderWireOf(after, now)
}

/** What the audit log keeps of a change of an order by hand. */
export function auditOf(action: string, before: OrderRow, after: OrderRow, actor: Actor, now: number) {
  return {
    actorUserId: actor.userId,
    action,
    objectType: 'payment_order',
    objectId: before.order_no,
    before: { ...before },
    after: { ...after },
    ip: actor.ip,
    now,
  }
}
