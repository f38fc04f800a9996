import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { AdminOrderDetail, OrderWire } from '../../contract/api/payments.ts'
import { lookAfterOrders } from '../../server/features/payments/recheck.ts'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'
import { notify, paymentSettings, yipayNotice, type Order } from './gateway.ts'
import { sendEvent, startStripe, STRIPE_KEY, stripeSettings, WEBHOOK_SECRET, type FakeStripe, type Sent } from './stripe.ts'

const OK = { status: 200, text: 'success' }
const FAIL = { status: 400, text: 'fail' }

let app: TestApp
let fake: FakeStripe
let user: TestUser
let turn = 0

beforeAll(async () => {
  fake = startStripe()
  app = await createTestApp({ settings: { ...paymentSettings(fake), ...stripeSettings(fake) } })
})
afterAll(async () => {
  await app.close()
  fake.stop()
})
beforeEach(async () => {
  turn += 1
  user = await app.user(`payer${turn}`)
  fake.behaves = 'good'
  await app.api('PUT', '/api/settings', stripeSettings(fake))
})

const open = (method = 'card', token = user.token) =>
  app.api<Order & OrderWire>('POST', '/api/user/payment/orders', { amount: '10', method }, token)
const detail = async (order: Order) => (await app.api<AdminOrderDetail>('GET', `/api/payment/orders/${order.order_no}`)).body
const balance = async (token = user.token) => (await app.api<{ balance: string }>('GET', '/api/user/me', undefined, token)).body.balance

test('an order opens a Checkout Session for its own amount and currency, once, and sends the payer there', async () => {
  const { status, body } = await open('alipay')
  expect(status).toBe(200)
  expect(body).toMatchObject({ rmb_amount: '9.20', pay_currency: 'EUR', status: 'pending' })
  const [session] = [...fake.sessions.values()].slice(-1)
  expect(body.payment_url).toBe(String(session?.['url']))
  expect(session?.['form']).toMatchObject({
    mode: 'payment',
    client_reference_id: body.order_no,
    'line_items[0][price_data][unit_amount]': '920',
    'payment_method_types[0]': 'alipay',
    success_url: `https://shop.example/dashboard/wallet?payment=success&order_no=${body.order_no}`,
  })
  expect(fake.asked.at(-1)).toMatchObject({ authorization: `Bearer ${STRIPE_KEY}`, key: body.order_no, version: '2025-02-24.acacia' })
  const config = await app.api('GET', '/api/user/payment/config', undefined, user.token)
  expect(config.body).toMatchObject({ pay_currency: 'EUR', pay_rate: '0.92' })
})

test('a Stripe that answers nonsense, another order or another amount opens no order', async () => {
  for (const how of ['error', 'html', 'huge', 'other order', 'other amount', 'other currency', 'script address', 'redirect'] as const) {
    fake.behaves = how
    expect([how, (await open()).status]).toEqual([how, 500])
  }
  expect((await app.api<unknown[]>('GET', '/api/user/payment/orders', undefined, user.token)).body).toEqual([])
  for (const missing of ['payment_stripe_secret_key', 'payment_stripe_webhook_secret']) {
    await app.api('PUT', '/api/settings', { [missing]: null })
    expect((await open()).body).toMatchObject({ error: 'payment gateway is not configured' })
    await app.api('PUT', '/api/settings', stripeSettings(fake))
  }
  for (const currency of ['jpy', 'kwd', 'EUR', 'eu'])
    expect((await app.api('PUT', '/api/settings', { payment_stripe_currency: currency })).status).toBe(400)
})

test('a signature is believed only over these bytes, with this secret, now; an empty secret accepts nothing', async () => {
  const { body: order } = await open()
  const paid = fake.pay(order.order_no)
  const refused: Sent[] = [
    { secret: 'whsec_other' },
    { secret: '' },
    { late: -301 },
    { late: 301 },
    { tamper: (text) => `${text} ` },
    { tamper: (text) => text.replace('"amount_total":920', '"amount_total":921') },
    { header: '' },
    { header: 't=1,v1=' },
    { header: `t=${Math.floor(app.clock.now() / 1000)},v1=undefined` },
    { header: 't=x,v1=x' },
  ]
  for (const how of refused) expect(await sendEvent(app, paid, how)).toEqual(FAIL)
  await app.api('PUT', '/api/settings', { payment_stripe_webhook_secret: null })
  for (const secret of ['', ' ', 'undefined', WEBHOOK_SECRET]) expect(await sendEvent(app, paid, { secret })).toEqual(FAIL)
  await app.api('PUT', '/api/settings', stripeSettings(fake))
  expect(await balance()).toBe('0')
  expect(await sendEvent(app, paid, { late: -299 })).toEqual(OK)
  expect(await balance()).toBe('10')
  const journal = await app.deps.db.query.selectFrom('payment_callbacks').select(['reason']).where('provider', '=', 'stripe').execute()
  expect(new Set(journal.map(({ reason }) => reason))).toEqual(
    new Set(['wrong signature', 'the signature is too old or from the future', 'no signature', 'the gateway is not configured', '']),
  )
})

test('only a whole, real payment of the very session, amount and currency credits; every other event is journalled', async () => {
  const { body: order } = await open()
  const { body: other } = await open()
  const paid = fake.pay(order.order_no)
  const cases: [Record<string, unknown>, Sent, typeof OK, string][] = [
    [{ payment_status: 'unpaid' }, {}, OK, 'not paid: unpaid'],
    [{}, { type: 'checkout.session.expired' }, OK, 'the event checkout.session.expired credits nothing'],
    [{}, { type: 'charge.refunded' }, OK, 'the event charge.refunded credits nothing'],
    [{ amount_total: 919 }, {}, FAIL, 'the amount differs'],
    [{ amount_total: 92_000 }, {}, FAIL, 'the amount differs'],
    [{ currency: 'usd' }, {}, FAIL, 'the order is in EUR'],
    [{ livemode: false }, {}, FAIL, 'a payment of the test mode'],
    [{ mode: 'setup' }, {}, FAIL, 'not a payment: setup'],
    [{ status: 'open' }, {}, FAIL, 'not complete: open'],
    [{ id: 'cs_live_other' }, {}, FAIL, 'another session of the order'],
    [{ amount_total: null }, {}, FAIL, 'no amount'],
  ]
  for (const [change, how, expected] of cases) expect(await sendEvent(app, { ...paid, ...change }, how)).toEqual(expected)
  expect(await sendEvent(app, { ...paid, client_reference_id: other.order_no })).toEqual(FAIL)
  expect(await sendEvent(app, { ...paid, client_reference_id: 'PAY1' })).toEqual(FAIL)
  expect(await sendEvent(app, 'no session')).toEqual(FAIL)
  expect(await notify(app, 'yipay', yipayNotice({ ...order, rmb_amount: '9.20' }))).toEqual(FAIL)
  expect(await balance()).toBe('0')
  expect(await sendEvent(app, paid, { type: 'checkout.session.async_payment_succeeded' })).toEqual(OK)
  expect(await balance()).toBe('10')
  const { callbacks } = await detail(order)
  expect(callbacks.map(({ reason }) => reason)).toEqual([...cases.map(([, , , reason]) => reason), 'the order belongs to stripe', ''])
  expect(JSON.stringify(callbacks)).not.toContain('payer@example.test')
})

test('M4 over Stripe: 800 replayed, forged and out-of-order events over 40 orders credit exactly the paid ones, once', async () => {
  const users = await Promise.all(Array.from({ length: 4 }, (_, index) => app.user(`m4-${index}`)))
  const orders: Order[] = []
  for (const payer of users) for (let index = 0; index < 10; index += 1) orders.push((await open('card', payer.token)).body)
  const steps: (() => Promise<void>)[] = []
  orders.forEach((order, index) => {
    const session =
      index % 2 === 0 ? fake.pay(order.order_no) : [...fake.sessions.values()].find((one) => one.client_reference_id === order.order_no)
    const as = (change: Record<string, unknown>, how: Sent, expected: typeof OK) => async () => {
      expect(await sendEvent(app, { ...session, ...change }, how)).toEqual(expected)
    }
    const lies = { status: 'complete', payment_status: 'paid', payment_intent: 'pi_x' }
    for (let copy = 0; copy < 10; copy += 1) {
      steps.push(as({}, {}, OK))
      steps.push(
        [as(lies, { secret: 'x' }, FAIL), as({ ...lies, amount_total: 1 }, {}, FAIL), as({}, { type: 'checkout.session.expired' }, OK)][
          copy % 3
        ] ?? as(lies, { late: -400 }, FAIL),
      )
    }
  })
  expect(steps).toHaveLength(800)
  steps.sort((a, b) => (steps.indexOf(a) % 11) - (steps.indexOf(b) % 11))
  for (let from = 0; from < steps.length; from += 50) await Promise.all(steps.slice(from, from + 50).map((step) => step()))
  for (const payer of users) expect(await balance(payer.token)).toBe('50')
  const credits = await app.deps.db.query
    .selectFrom('ledger_entries')
    .select('reference')
    .where('kind', '=', 'recharge')
    .where(
      'reference',
      'in',
      orders.map(({ order_no: no }) => no),
    )
    .execute()
  expect(credits).toHaveLength(20)
}, 30_000)

test('a webhook that got lost heals itself: the session is asked for, by a person or by the clock, and only a paid one credits', async () => {
  const { body: order } = await open()
  const { body: never } = await open()
  const ask = () => app.api<OrderWire>('POST', `/api/user/payment/orders/${order.order_no}/recheck`, undefined, user.token)
  expect((await ask()).body.status).toBe('pending')
  fake.pay(order.order_no)
  fake.behaves = 'error'
  await lookAfterOrders(app.deps)
  fake.behaves = 'good'
  const asks = () => fake.asked.filter(({ method, path }) => method === 'GET' && path.startsWith('/v1/')).length
  const asked = asks()
  app.clock.advance(30_000)
  await lookAfterOrders(app.deps)
  expect(asks()).toBe(asked)
  app.clock.advance(30_000)
  await lookAfterOrders(app.deps)
  expect(await balance()).toBe('10')
  expect(asks()).toBeGreaterThanOrEqual(asked + 2)
  expect((await detail(order)).callbacks.map(({ source, verdict }) => [source, verdict])).toEqual([
    ['query', 'refused'],
    ['query', 'credited'],
  ])
  expect((await detail(never)).callbacks).toEqual([])
  expect((await detail(never)).status).toBe('pending')
})
