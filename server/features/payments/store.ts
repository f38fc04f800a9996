import { sql, type Insertable, type Selectable, type Updateable } from 'kysely'
import type { OrderStatus, PaymentProvider } from '../../../contract/api/payments.ts'
import { ZERO, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { LedgerEntryTable, PaymentCallbackTable, PaymentOrderTable } from '../../db/schema.ts'

type Tx = Database['query']
export type OrderRow = Omit<Selectable<PaymentOrderTable>, 'status' | 'provider'> & { status: OrderStatus; provider: PaymentProvider }
export type CallbackRow = Selectable<PaymentCallbackTable>

/** Which orders a list is about; times in epoch ms. */
export interface OrderFilters {
  status?: OrderStatus | undefined
  provider?: string | undefined
  userId?: number | undefined
  orderNo?: string | undefined
  tradeNo?: string | undefined
  amount?: Money | undefined
  from?: number | undefined
  to?: number | undefined
  paidFrom?: number
  paidBefore?: number
  refused?: boolean
  pendingBefore?: number | undefined
}

export async function insertOrder(tx: Tx, row: Omit<Insertable<PaymentOrderTable>, 'id'>): Promise<OrderRow> {
  return (await tx.insertInto('payment_orders').values(row).returningAll().executeTakeFirstOrThrow()) as OrderRow
}

export async function findOrder(db: Tx, orderNo: string): Promise<OrderRow | undefined> {
  return (await db.selectFrom('payment_orders').selectAll().where('order_no', '=', orderNo).executeTakeFirst()) as OrderRow | undefined
}

/** Orders of a user that may still be paid in time. */
export async function countOpen(db: Tx, userId: number, now: number): Promise<number> {
  const rows = db.selectFrom('payment_orders').where('user_id', '=', userId).where('status', '=', 'pending').where('expires_at', '>', now)
  return (await rows.select((count) => count.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()).total
}

/** A page of orders, newest first, and how many there are. */
export async function selectOrders(
  db: Tx,
  filters: OrderFilters,
  page: { page: number; pageSize: number },
): Promise<{ rows: OrderRow[]; total: number }> {
  let rows = db.selectFrom('payment_orders')
  if (filters.status !== undefined) rows = rows.where('status', '=', filters.status)
  if (filters.provider !== undefined) rows = rows.where('provider', '=', filters.provider)
  if (filters.userId !== undefined) rows = rows.where('user_id', '=', filters.userId)
  if (filters.orderNo !== undefined) rows = rows.where('order_no', '=', filters.orderNo)
  if (filters.tradeNo !== undefined) rows = rows.where('trade_no', '=', filters.tradeNo)
  if (filters.amount !== undefined) rows = rows.where('amount', '=', filters.amount)
  if (filters.from !== undefined) rows = rows.where('created_at', '>=', filters.from)
  if (filters.to !== undefined) rows = rows.where('created_at', '<', filters.to)
  if (filters.paidFrom !== undefined) rows = rows.where('paid_at', '>=', filters.paidFrom)
  if (filters.paidBefore !== undefined) rows = rows.where('paid_at', '<', filters.paidBefore)
  if (filters.pendingBefore !== undefined) rows = rows.where('status', '=', 'pending').where('created_at', '<', filters.pendingBefore)
  if (filters.refused === true)
    rows = rows.where('order_no', 'in', db.selectFrom('payment_callbacks').select('order_no').where('verdict', '=', 'refused'))
  const { total } = await rows.select((count) => count.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  const found = rows.selectAll().orderBy('id', 'desc').limit(page.pageSize)
  return { rows: (await found.offset((page.page - 1) * page.pageSize).execute()) as OrderRow[], total }
}

/** Conditional: only from one of the states. @returns whether it was this call that changed it */
export async function moveOrder(
  tx: Tx,
  orderNo: string,
  from: readonly OrderStatus[],
  change: Updateable<PaymentOrderTable> & { status: OrderStatus },
  now: number,
): Promise<OrderRow | undefined> {
  const rows = tx.updateTable('payment_orders').set({ ...change, updated_at: now })
  return (await rows.where('order_no', '=', orderNo).where('status', 'in', from).returningAll().executeTakeFirst()) as OrderRow | undefined
}

/** The credit of an order in the ledger: that, not the state of the order, says whether it was credited. */
const credited = sql<boolean>`exists (select 1 from ledger_entries where kind = 'recharge' and reference = payment_orders.order_no)`

/** What a crash between credit and state left behind becomes `paid`. @returns how many */
export async function healOrders(db: Tx, now: number): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('payment_orders')
    .set({ status: 'paid', paid_at: now, closed_reason: '', updated_at: now })
    .where('status', 'in', ['pending', 'expired', 'cancelled'])
    .where(credited)
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/** Orders nobody has paid that were opened in one of the spans; the oldest first. */
export async function selectUnpaid(db: Tx, spans: readonly { after: number; upTo: number }[], limit: number): Promise<OrderRow[]> {
  const rows = db.selectFrom('payment_orders').selectAll().where('status', 'in', ['pending', 'expired'])
  const inSpan = rows.where((where) =>
    where.or(spans.map(({ after, upTo }) => where.and([where('created_at', '>', after), where('created_at', '<=', upTo)]))),
  )
  return (await inSpan.orderBy('id').limit(limit).execute()) as OrderRow[]
}

/** Refunded orders whose commissions are still to be taken back, the oldest first; those before `before`. */
export async function selectClawbacks(db: Tx, before: number, limit: number): Promise<OrderRow[]> {
  const rows = db.selectFrom('payment_orders').selectAll().where('status', '=', 'refunded').where('clawback_base', '>', ZERO)
  return (await rows
    .where('clawed_back_at', 'is', null)
    .where('updated_at', '<=', before)
    .orderBy('id')
    .limit(limit)
    .execute()) as OrderRow[]
}

export async function markClawedBack(db: Tx, id: number, now: number): Promise<void> {
  await db.updateTable('payment_orders').set({ clawed_back_at: now }).where('id', '=', id).execute()
}

/** Ends what was not paid in time; never one that was credited. */
export async function expireOrders(db: Tx, now: number): Promise<void> {
  await db
    .updateTable('payment_orders')
    .set({ status: 'expired', closed_reason: 'not paid in time', updated_at: now })
    .where('status', '=', 'pending')
    .where('expires_at', '<=', now)
    .where(sql<boolean>`not ${credited}`)
    .execute()
}

/** Ends an unpaid order by hand; never one that was credited. */
export async function cancelRow(tx: Tx, orderNo: string, reason: string, now: number): Promise<OrderRow | undefined> {
  return (await tx
    .updateTable('payment_orders')
    .set({ status: 'cancelled', closed_reason: reason, updated_at: now })
    .where('order_no', '=', orderNo)
    .where('status', 'in', ['pending', 'expired'])
    .where(sql<boolean>`not ${credited}`)
    .returningAll()
    .executeTakeFirst()) as OrderRow | undefined
}

export async function insertCallback(db: Tx, row: Omit<Insertable<PaymentCallbackTable>, 'id'>): Promise<void> {
  await db.insertInto('payment_callbacks').values(row).execute()
}

/** The last ones of an order, in the order they came. */
export async function selectCallbacks(db: Tx, orderNo: string, limit: number): Promise<CallbackRow[]> {
  const rows = db.selectFrom('payment_callbacks').selectAll().where('order_no', '=', orderNo)
  return (await rows.orderBy('id', 'desc').limit(limit).execute()).toReversed()
}

/** Forgets refused and shown ones of before. */
export async function forgetCallbacks(db: Tx, before: number): Promise<void> {
  await db.deleteFrom('payment_callbacks').where('verdict', 'in', ['refused', 'shown']).where('created_at', '<', before).execute()
}

/** What was booked for an order. */
export function selectBookings(db: Tx, orderNo: string): Promise<Selectable<LedgerEntryTable>[]> {
  const rows = db.selectFrom('ledger_entries').selectAll().where('reference', '=', orderNo)
  return rows.where('kind', 'in', ['recharge', 'refund']).orderBy('id').execute()
}
