import { randomBytes } from 'node:crypto'
import type { OrderWire } from '../../../contract/api/payments.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney, mulDiv, MONEY_ONE, parseMoney, type Money } from '../../../contract/money.ts'
import type { Deps } from '../../http/deps.ts'
import type { Span } from '../../lib/query-time.ts'
import { accountOf } from '../billing/service.ts'
import { gatewaysOf } from './gateways.ts'
import { countOpen, findOrder, insertOrder, selectOrders, type OrderRow } from './store.ts'
import { orderWireOf } from './wire.ts'

/** How long an order may be paid: its exchange rate is that of its moment (W92). A late payment still counts. */
const LIFETIME_MS = 2 * 3_600_000
/** Unpaid orders of one user at a time; nobody pays more at once (W92). */
const MAX_OPEN = 10
/** Orders of a list (contract.md 3.6). */
const LATEST = 100
/** Largest single recharge: beyond it a typing error is likelier than a customer (W90). */
const MAX_AMOUNT = 1_000_000n * MONEY_ONE
/** Smallest part of an amount: hundredths, as money has. */
const STEP = MONEY_ONE / 100n
/** amount x rate has twenty decimals; this many of its units are one hundredth. */
const UNITS_PER_CENT = MONEY_ONE * STEP
const METHOD = /^[a-z0-9_-]{1,32}$/

/** What the wallet page needs (contract.md 3.6). */
export function configOf(deps: Deps) {
  const { settings } = deps
  const { currency, rate } = gatewaysOf(deps).configured().price()
  return {
    enabled: settings.bool('payment_enabled'),
    currency_display_name: settings.text('payment_currency_display_name'),
    usd_to_rmb_rate: formatMoney(settings.decimal('payment_usd_to_rmb_rate')),
    min_recharge_amount: formatMoney(settings.decimal('payment_min_recharge_amount')),
    recharge_presets: listOf(settings.text('payment_recharge_presets')),
    methods: listOf(settings.text('payment_methods')),
    pay_currency: currency,
    pay_rate: formatMoney(rate),
  }
}

/** A JSON list of texts, trimmed, each once; anything else is empty. */
function listOf(text: string): string[] {
  try {
    const list: unknown = JSON.parse(text)
    if (!Array.isArray(list)) return []
    return [...new Set(list.filter((item) => typeof item === 'string').map((item) => item.trim()))].filter((item) => item !== '')
  } catch {
    return []
  }
}

/**
 * Opens an order with the gateway of this moment; that gateway stays its own.
 * @throws AppError payment_disabled | payment_gateway_unset | payment_base_url | payment_amount | payment_below_minimum |
 *   payment_above_maximum | payment_method | payment_open_orders | payment_url_failed
 */
export async function openOrder(
  deps: Deps,
  input: { amount?: unknown; method?: unknown },
  user: { id: number; ip: string },
): Promise<OrderWire & { payment_url: string }> {
  const { settings, db, clock } = deps
  if (!settings.bool('payment_enabled')) throw new AppError('payment_disabled')
  const gateway = gatewaysOf(deps).configured()
  gateway.requireReady()
  const amount = amountOf(input.amount)
  if (amount < settings.decimal('payment_min_recharge_amount')) throw new AppError('payment_below_minimum')
  if (amount > MAX_AMOUNT) throw new AppError('payment_above_maximum')
  const method = typeof input.method === 'string' ? input.method.trim().toLowerCase() : ''
  const offered = listOf(settings.text('payment_methods')).some((name) => name.toLowerCase() === method)
  if (!offered || !METHOD.test(method)) throw new AppError('payment_method')
  const { currency, rate } = gateway.price()
  const cents = Number(mulDiv(amount, rate, UNITS_PER_CENT, 'half_up'))
  // More than the gateways' amount field carries, or nothing at all.
  if (cents < 1 || cents > 99_999_999_999) throw new AppError('payment_amount')
  const now = clock.now()
  if ((await countOpen(db.query, user.id, now)) >= MAX_OPEN) throw new AppError('payment_open_orders')
  const orderNo = orderNumber(now)
  const expiresAt = now + LIFETIME_MS
  const { url, reference } = await gateway.open({ orderNo, cents, method, ip: user.ip, expiresAt })
  const { id: accountId } = await accountOf(deps, user.id)
  const row = await insertOrder(db.query, {
    order_no: orderNo,
    user_id: user.id,
    account_id: accountId,
    amount,
    pay_amount: cents,
    pay_currency: currency,
    exchange_rate: rate,
    method,
    provider: gateway.id,
    status: 'pending',
    trade_no: '',
    expires_at: expiresAt,
    paid_at: null,
    closed_reason: '',
    gateway_reference: reference,
    created_at: now,
    updated_at: now,
  })
  return { ...orderWireOf(row, now), payment_url: url }
}

function amountOf(text: unknown): Money {
  const amount = typeof text === 'string' ? parseMoney(text) : undefined
  if (amount === undefined || amount <= 0n || amount % STEP !== 0n) throw new AppError('payment_amount')
  return amount
}

/** `PAY`, the time, 128 random bits: nobody guesses one (X9). */
function orderNumber(now: number): string {
  const time = new Date(now).toISOString().replace(/\D/g, '').slice(0, 14)
  return `PAY${time}${randomBytes(16).toString('hex').toUpperCase()}`
}

/** Own orders, newest first: the latest 100, or a page. */
export async function listOwnOrders(
  deps: Deps,
  userId: number,
  page: { page: number; pageSize: number } | undefined,
  { from, before }: Span,
): Promise<OrderWire[] | { items: OrderWire[]; total: number; page: number; page_size: number }> {
  const now = deps.clock.now()
  const { rows, total } = await selectOrders(deps.db.query, { userId, from, to: before }, page ?? { page: 1, pageSize: LATEST })
  const items = rows.map((row) => orderWireOf(row, now))
  return page ? { items, total, page: page.page, page_size: page.pageSize } : items
}

/** Orders of a user that were paid in a time, newest first: at most the latest 100. */
export async function ordersPaidIn(deps: Pick<Deps, 'db' | 'clock'>, userId: number, from: number, before: number): Promise<OrderWire[]> {
  const now = deps.clock.now()
  const { rows } = await selectOrders(deps.db.query, { userId, paidFrom: from, paidBefore: before }, { page: 1, pageSize: LATEST })
  return rows.map((row) => orderWireOf(row, now))
}

/** @throws AppError payment_order_missing, also for another's */
export async function requireOrder(deps: Pick<Deps, 'db'>, orderNo: string, userId?: number): Promise<OrderRow> {
  const row = await findOrder(deps.db.query, orderNo)
  if (!row || (userId !== undefined && row.user_id !== userId)) throw new AppError('payment_order_missing')
  return row
}
