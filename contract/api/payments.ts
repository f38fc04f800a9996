import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { idParam, listSchema, pageQuery, timeQuery, pageSchema, time } from './common.ts'

/** What an order can be; `pending` and `paid` are the contract's, the others end an order that was not or no longer paid. */
export const orderStatuses = ['pending', 'paid', 'expired', 'cancelled', 'refunded'] as const
export type OrderStatus = (typeof orderStatuses)[number]

export const paymentProviders = ['yipay', 'openpayment', 'stripe'] as const
export type PaymentProvider = (typeof paymentProviders)[number]

const orderFields = {
  order_no: z.string(),
  /** In the platform's currency. */
  amount: z.string(),
  /** What is paid, with exactly two decimals, in `pay_currency`. */
  rmb_amount: z.string(),
  /** `CNY`, or what Stripe was set to. */
  pay_currency: z.string(),
  method: z.string(),
  status: z.enum(orderStatuses),
  created_at: time,
  /** Absent until paid. */
  paid_at: time.optional(),
  /** What a refund took off the balance; absent without one. */
  refunded_amount: z.string().optional(),
}

/** An order as the one who pays sees it (contract.md 2.14). */
export const orderWire = z.strictObject(orderFields)
/** The answer that opens an order: the client goes to `payment_url`. */
const newOrderWire = z.strictObject({ ...orderFields, payment_url: z.string() })

const adminOrderFields = {
  ...orderFields,
  user_id: z.int(),
  provider: z.enum(paymentProviders),
  exchange_rate: z.string(),
  trade_no: z.string(),
  expires_at: time.nullable(),
  closed_reason: z.string(),
  /** What a chargeback could not take back, because it was spent. */
  refund_uncollected: z.string(),
  updated_at: time,
}
const adminOrderWire = z.strictObject(adminOrderFields)

/** A call of the gateway or a returning browser, and what was made of it. */
const callbackWire = z.strictObject({
  id: z.int(),
  provider: z.string(),
  source: z.enum(['notify', 'return', 'query']),
  /** ignored: real, but it does not say that money came in. */
  verdict: z.enum(['credited', 'repeated', 'shown', 'ignored', 'refused']),
  reason: z.string(),
  payload: z.string(),
  created_at: time,
})
const adminOrderDetail = z.strictObject({
  ...adminOrderFields,
  callbacks: z.array(callbackWire),
  entries: z.array(z.strictObject({ id: z.int(), kind: z.string(), amount: z.string(), reason: z.string(), created_at: time })),
})

export type OrderWire = z.input<typeof orderWire>
export type AdminOrderWire = z.input<typeof adminOrderWire>
export type AdminOrderDetail = z.input<typeof adminOrderDetail>
export type CallbackWire = z.input<typeof callbackWire>

const orderParams = z.object({ order_no: z.string().max(100) })

const text = z.string()
export const yipayReturn = endpoint({
  method: 'GET',
  path: '/api/payment/yipay/return',
  access: 'public',
  summary: 'Where the browser comes back to; shows only, credits nothing',
  response: text,
})
export const yipayNotifyGet = endpoint({
  method: 'GET',
  path: '/api/payment/yipay/notify',
  access: 'public',
  summary: 'The gateway tells of a payment; `success` or `fail`',
  response: text,
})
export const yipayNotifyPost = endpoint({ ...yipayNotifyGet, method: 'POST' })
export const openPaymentReturn = endpoint({ ...yipayReturn, path: '/api/payment/openpayment/return' })
export const openPaymentNotifyGet = endpoint({ ...yipayNotifyGet, path: '/api/payment/openpayment/notify' })
export const openPaymentNotifyPost = endpoint({ ...openPaymentNotifyGet, method: 'POST' })
export const stripeNotify = endpoint({
  ...yipayNotifyPost,
  path: '/api/payment/stripe/notify',
  summary: "Stripe's webhook; `success` or `fail`",
})
export const openPaymentSubmit = endpoint({
  method: 'GET',
  path: '/api/payment/openpayment/submit/:order_no',
  access: 'public',
  summary: 'A form that sends itself to the gateway; behind a signed link that ends soon',
  params: orderParams,
  response: text,
})

export const paymentConfig = endpoint({
  method: 'GET',
  path: '/api/user/payment/config',
  access: 'user',
  summary: 'What can be paid and how',
  response: z.strictObject({
    enabled: z.boolean(),
    currency_display_name: z.string(),
    usd_to_rmb_rate: z.string(),
    min_recharge_amount: z.string(),
    recharge_presets: z.array(z.string()),
    methods: z.array(z.string()),
    /** What is paid in, and how much of it one unit costs: `usd_to_rmb_rate` unless Stripe is the gateway. */
    pay_currency: z.string(),
    pay_rate: z.string(),
  }),
})
export const listUserOrders = endpoint({
  method: 'GET',
  path: '/api/user/payment/orders',
  access: 'user',
  summary: 'Own orders, newest first: the latest 100, or a page',
  query: timeQuery,
  response: listSchema(orderWire),
})
export const createOrder = endpoint({
  method: 'POST',
  path: '/api/user/payment/orders',
  access: 'user',
  summary: 'Opens an order; the client goes to its `payment_url`',
  // Both are texts; what is wrong with them is told after what is wrong with the site, as the contract orders it.
  body: z.object({ amount: z.unknown().optional(), method: z.unknown().optional() }),
  response: newOrderWire,
})
export const getUserOrder = endpoint({
  method: 'GET',
  path: '/api/user/payment/orders/:order_no',
  access: 'user',
  summary: 'An own order',
  params: orderParams,
  response: orderWire,
})
export const recheckUserOrder = endpoint({
  method: 'POST',
  path: '/api/user/payment/orders/:order_no/recheck',
  access: 'user',
  summary: 'Asks the gateway for an own unpaid order where it can be asked; staff for any',
  params: orderParams,
  response: orderWire,
})

const yes = z.literal('true', { error: 'must be true or absent' })
export const listOrders = endpoint({
  method: 'GET',
  path: '/api/payment/orders',
  access: 'support',
  summary: 'Orders of all users, newest first',
  query: pageQuery.extend({
    status: z.enum(orderStatuses).optional(),
    provider: z.enum(paymentProviders).optional(),
    user_id: idParam('Invalid user_id').optional(),
    order_no: z.string().max(100).optional(),
    trade_no: z.string().max(100).optional(),
    amount: z.string().max(30).optional(),
    from: z.iso.datetime({ offset: true }).optional(),
    to: z.iso.datetime({ offset: true }).optional(),
    /** Those with a refused callback. */
    refused: yes.optional(),
    /** Those pending for more than ten minutes. */
    overdue: yes.optional(),
  }),
  response: pageSchema(adminOrderWire),
})
export const getOrder = endpoint({
  method: 'GET',
  path: '/api/payment/orders/:order_no',
  access: 'support',
  summary: 'An order with every callback and what was booked',
  params: orderParams,
  response: adminOrderDetail,
})
export const recheckOrder = endpoint({
  method: 'POST',
  path: '/api/payment/orders/:order_no/recheck',
  access: 'finance',
  summary: 'Asks the gateway for an unpaid order where it can be asked',
  params: orderParams,
  response: adminOrderWire,
})
const reason = z.string().trim().min(1, { error: 'must not be empty' }).max(200)
export const resolveOrder = endpoint({
  method: 'POST',
  path: '/api/payment/orders/:order_no/resolve',
  access: 'finance',
  stepUp: 'site',
  summary: 'Completes or cancels an unpaid order by hand',
  params: orderParams,
  body: z.object({
    outcome: z.enum(['paid', 'cancelled']),
    reason,
    /** The gateway's number, when it was paid. */
    trade_no: z
      .string()
      .regex(/^[\w.-]{0,64}$/, { error: 'must be at most 64 letters, digits, ".", "_" or "-"' })
      .default(''),
  }),
  response: adminOrderWire,
})
export const refundOrder = endpoint({
  method: 'POST',
  path: '/api/payment/orders/:order_no/refund',
  access: 'finance',
  stepUp: 'site',
  summary: 'Takes what is left of a paid order off the balance; the money itself is sent back at the gateway',
  params: orderParams,
  body: z.object({
    reason,
    /** The gateway took the whole payment back: everything left on the balance goes, and the commissions of what was spent of it. */
    chargeback: z.boolean().default(false),
  }),
  response: adminOrderWire,
})
