import { z } from 'zod'
import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { siteAddress } from './addresses.ts'
import { isOrderNo, isTradeNo, readCapped } from './grammar.ts'
import { readSmallJson } from './outside.ts'
import type { Heard, Message, Payable, Provider } from './provider.ts'
import { stripeSignatureFault } from './stripe-signature.ts'
import { words } from '../../../contract/words.ts'

/** The shape of Stripe's objects this was written for; the account's own default may change, this does not. */
const VERSION = '2025-02-24.acacia'
/** An event carries a whole session with its customer; Stripe's are some KiB. */
const MAX_EVENT_BYTES = 256 * 1024
/** Our words for ways of paying and Stripe's; others are left to the account's own settings. */
const METHODS = words<string>({ alipay: 'alipay', wxpay: 'wechat_pay', wechat: 'wechat_pay', card: 'card' })
/** What says that money came in: at once, or later for ways of paying that take days. */
const PAID_EVENTS = ['checkout.session.completed', 'checkout.session.async_payment_succeeded']

const session = z.object({
  object: z.literal('checkout.session'),
  id: z.string().max(200),
  client_reference_id: z.string().max(200).nullable(),
  mode: z.string().max(50),
  payment_status: z.string().max(50),
  status: z.string().max(50).nullable(),
  amount_total: z.int().nullable(),
  currency: z.string().max(10).nullable(),
  payment_intent: z.union([z.string().max(200), z.object({ id: z.string().max(200) }).transform(({ id }) => id)]).nullable(),
  livemode: z.boolean(),
})
type Session = z.output<typeof session>
const event = z.object({
  object: z.literal('event'),
  id: z.string().max(200),
  type: z.string().max(200),
  data: z.object({ object: z.unknown() }),
})
const opened = session.extend({ url: z.string().max(2_000) })

/** Stripe Checkout: the payer is sent to Stripe's own page, its webhook says what was paid (docs.stripe.com/payments/checkout). */
export function stripe(deps: Pick<Deps, 'settings' | 'fetch' | 'clock'>): Provider {
  const { settings, clock } = deps
  const config = () => ({
    key: settings.text('payment_stripe_secret_key').trim(),
    webhookSecret: settings.text('payment_stripe_webhook_secret').trim(),
    currency: settings.text('payment_stripe_currency'),
    api: settings.text('payment_stripe_api_url').replace(/\/+$/, ''),
  })
  const call = (path: string, request: { method?: string; body?: string; headers?: Record<string, string> } = {}): Promise<unknown> => {
    const { key, api } = config()
    const headers = { authorization: `Bearer ${key}`, 'stripe-version': VERSION, ...request.headers }
    return readSmallJson(deps.fetch, `${api}${path}`, { ...request, headers })
  }
  return {
    id: 'stripe',
    price: () => ({ currency: config().currency.toUpperCase(), rate: settings.decimal('payment_stripe_rate') }),
    requireReady() {
      const { key, webhookSecret } = config()
      if (key === '' || webhookSecret === '') throw new AppError('payment_gateway_unset')
      siteAddress(settings, '/')
    },
    async open(order) {
      const wallet = siteAddress(settings, '/dashboard/wallet')
      const answer = opened.safeParse(
        await call('/v1/checkout/sessions', {
          method: 'POST',
          // Asked twice for one order, Stripe answers the first session again.
          headers: { 'content-type': 'application/x-www-form-urlencoded', 'idempotency-key': order.orderNo },
          body: sessionForm(order, config().currency, wallet).toString(),
        }),
      )
      if (!answer.success) throw new AppError('payment_url_failed', { cause: new Error('Stripe opened no session') })
      const { id, url, client_reference_id: orderNo, amount_total: cents, currency } = answer.data
      const same = orderNo === order.orderNo && cents === order.cents && currency === config().currency
      if (!same || !url.startsWith('https://'))
        throw new AppError('payment_url_failed', { cause: new Error('Stripe opened another session') })
      return { url, reference: id }
    },
    async hear(request) {
      const body = await readCapped(request, MAX_EVENT_BYTES)
      if (body === undefined) return unheard('the body is too large')
      const { key, webhookSecret } = config()
      const fault = stripeSignatureFault(request.headers.get('stripe-signature') ?? '', body, webhookSecret, clock.now())
      return fault === undefined ? hearEvent(body.toString('utf8'), key) : unheard(fault)
    },
    successBody: () => 'success',
    async query({ orderNo, reference }) {
      const { key } = config()
      if (key === '' || reference === '') return undefined
      const answer = session.safeParse(await call(`/v1/checkout/sessions/${encodeURIComponent(reference)}`))
      if (!answer.success) return undefined
      const message = judgeSession(answer.data, key)
      return message.ok && message.orderNo !== orderNo ? { ok: false, reason: 'the answer is about another order' } : message
    },
  }
}

function sessionForm(order: Payable, currency: string, wallet: string): URLSearchParams {
  const form = new URLSearchParams({
    mode: 'payment',
    client_reference_id: order.orderNo,
    'metadata[order_no]': order.orderNo,
    'payment_intent_data[metadata][order_no]': order.orderNo,
    'line_items[0][quantity]': '1',
    'line_items[0][price_data][currency]': currency,
    'line_items[0][price_data][unit_amount]': String(order.cents),
    'line_items[0][price_data][product_data][name]': `Balance recharge ${order.orderNo}`,
    expires_at: String(Math.floor(order.expiresAt / 1000)),
    success_url: `${wallet}?payment=success&order_no=${order.orderNo}`,
    cancel_url: `${wallet}?payment=failed&order_no=${order.orderNo}`,
  })
  const method = METHODS[order.method]
  if (method !== undefined) form.set('payment_method_types[0]', method)
  if (method === 'wechat_pay') form.set('payment_method_options[wechat_pay][client]', 'web')
  return form
}

/** An event whose signature is right. */
function hearEvent(text: string, key: string): Heard {
  const parsed = event.safeParse(jsonOf(text))
  if (!parsed.success) return unheard('not an event')
  const { id, type, data } = parsed.data
  const found = session.safeParse(data.object)
  const claimed = found.success ? (found.data.client_reference_id ?? '') : ''
  const orderNo = isOrderNo(claimed) ? claimed : ''
  // What is kept names no customer.
  const payload = JSON.stringify({ id, type, ...(found.success ? found.data : {}) })
  if (!PAID_EVENTS.includes(type))
    return { orderNo, payload, message: { ok: false, reason: `the event ${type} credits nothing`, ignored: true } }
  if (!found.success) return { orderNo, payload, message: { ok: false, reason: 'not a session' } }
  return { orderNo, payload, message: judgeSession(found.data, key) }
}

/** A session that was paid, whole and in earnest. */
function judgeSession(found: Session, key: string): Message {
  // Test cards pay nothing: an account whose key is for real money believes only sessions of real money.
  if (/^[rs]k_live_/.test(key) && !found.livemode) return { ok: false, reason: 'a payment of the test mode' }
  if (found.mode !== 'payment') return { ok: false, reason: `not a payment: ${found.mode}` }
  if (found.payment_status !== 'paid') return { ok: false, reason: `not paid: ${found.payment_status}`, ignored: true }
  if (found.status !== 'complete') return { ok: false, reason: `not complete: ${found.status ?? ''}` }
  const orderNo = found.client_reference_id ?? ''
  const tradeNo = found.payment_intent ?? found.id
  if (!isOrderNo(orderNo)) return { ok: false, reason: 'not an order number of ours' }
  if (found.amount_total === null || found.amount_total < 0) return { ok: false, reason: 'no amount' }
  if (!isTradeNo(tradeNo)) return { ok: false, reason: 'the trade number is odd' }
  const currency = (found.currency ?? '').toUpperCase()
  return { ok: true, orderNo, cents: found.amount_total, currency, tradeNo, reference: found.id }
}

function unheard(reason: string): Heard {
  return { orderNo: '', payload: '{}', message: { ok: false, reason } }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
