import type { AdminOrderWire, CallbackWire, OrderStatus, OrderWire } from '../../../contract/api/payments.ts'
import { formatMoney } from '../../../contract/money.ts'
import { isoTime, isoTimeOrNull } from '../../lib/clock.ts'
import { centsText } from './grammar.ts'
import type { CallbackRow, OrderRow } from './store.ts'

/** The state at this moment: time ends an order before the job has written so. */
function statusAt(row: OrderRow, now: number): OrderStatus {
  return row.status === 'pending' && row.expires_at !== null && row.expires_at <= now ? 'expired' : row.status
}

export function orderWireOf(row: OrderRow, now: number): OrderWire {
  return {
    order_no: row.order_no,
    amount: formatMoney(row.amount),
    rmb_amount: centsText(row.pay_amount),
    pay_currency: row.pay_currency,
    method: row.method,
    status: statusAt(row, now),
    created_at: isoTime(row.created_at),
    ...(row.paid_at === null ? {} : { paid_at: isoTime(row.paid_at) }),
    ...(row.status === 'refunded' ? { refunded_amount: formatMoney(row.refunded_amount) } : {}),
  }
}

export function adminOrderWireOf(row: OrderRow, now: number): AdminOrderWire {
  return {
    ...orderWireOf(row, now),
    user_id: row.user_id,
    provider: row.provider,
    exchange_rate: formatMoney(row.exchange_rate),
    trade_no: row.trade_no,
    expires_at: isoTimeOrNull(row.expires_at),
    closed_reason: row.closed_reason,
    refund_uncollected: formatMoney(row.refund_uncollected),
    updated_at: isoTime(row.updated_at),
  }
}

export function callbackWireOf(row: CallbackRow): CallbackWire {
  return {
    id: row.id,
    provider: row.provider,
    source: row.source as CallbackWire['source'],
    verdict: row.verdict as CallbackWire['verdict'],
    reason: row.reason,
    payload: row.payload,
    created_at: isoTime(row.created_at),
  }
}
