import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { AdminOrderDetail, OrderWire } from '../../contract/api/payments.ts'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'
import {
  MERCHANT,
  notify,
  openNotice,
  paymentSettings,
  PID,
  sign,
  startGateway,
  yipayNotice,
  type FakeGateway,
  type Order,
} from './gateway.ts'

const HOUR = 3_600_000
const ORDERS = '/api/user/payment/orders'

let app: TestApp
let gateway: FakeGateway
let user: TestUser
let turn = 0

beforeAll(async () => {
  gateway = startGateway()
  app = await createTestApp({ settings: paymentSettings(gateway) })
})
afterAll(async () => {
  await app.close()
  gateway.stop()
})
beforeEach(async () => {
  turn += 1
  user = await app.user(`payer${turn}`)
  await app.api('PUT', '/api/settings', { ...paymentSettings(gateway), payment_gateway_provider: 'yipay' })
  gateway.discovery = 'good'
  gateway.document = {}
  gateway.answer = undefined
  // What is known of the gateway is old, so the next order asks again.
  app.clock.advance(HOUR)
  user.token = (
    await app.api<{ token: string }>('POST', '/auth/password/login', { identifier: user.username, password: user.password }, null)
  ).body.token
})

const set = (values: Record<string, unknown>) => app.api('PUT', '/api/settings', values)
const open = (amount = '10', method = 'alipay') => app.api<Order & OrderWire>('POST', ORDERS, { amount, method }, user.token)
const state = async (order: Order) => (await app.api<OrderWire>('GET', `${ORDERS}/${order.order_no}`, undefined, user.token)).body.status
const balance = async () => (await app.api<{ balance: string }>('GET', '/api/user/me', undefined, user.token)).body.balance
const admin = (method: string, order: Order, verb = '', body?: unknown) =>
  app.api<AdminOrderDetail & { code: string }>(method, `/api/payment/orders/${order.order_no}${verb}`, body)

test('creating an order answers as the contract says, and refuses in its words', async () => {
  const { status, body } = await open()
  expect(status).toBe(200)
  expect(body).toMatchObject({ amount: '10', rmb_amount: '72.00', method: 'alipay', status: 'pending' })
  expect(body.order_no).toMatch(/^PAY\d{14}[0-9A-F]{32}$/)
  expect(body.paid_at).toBeUndefined()
  const url = new URL(body.payment_url)
  expect(url.origin + url.pathname).toBe(`${gateway.url}/submit.php`)
  const sent = Object.fromEntries(url.searchParams)
  expect(sent).toMatchObject({ pid: PID, type: 'alipay', money: '72.00', out_trade_no: body.order_no, sign_type: 'MD5' })
  expect(sent['notify_url']).toBe('https://shop.example/api/payment/yipay/notify')
  expect(sent['sign']).toBe(sign(sent, 'gateway-key-5f2c'))

  const table: [Record<string, unknown>, string, string, number, string][] = [
    [{}, '0', 'alipay', 400, 'Invalid recharge amount'],
    [{}, '1.001', 'alipay', 400, 'Invalid recharge amount'],
    [{}, '1e3', 'alipay', 400, 'Invalid recharge amount'],
    [{}, '0.99', 'alipay', 400, 'Recharge amount is below the minimum'],
    [{}, '1000000.01', 'alipay', 400, 'Recharge amount is above the maximum'],
    [{}, '10', 'cash', 400, 'Payment method is not enabled'],
    [{ payment_yipay_key: null }, '10', 'alipay', 400, 'payment gateway is not configured'],
    [{ base_url: '' }, '10', 'alipay', 400, 'The base URL of this site must be set before it can take payments'],
    [
      { payment_yipay_notify_url: 'https://x.example/n?a=b' },
      '10',
      'alipay',
      400,
      'The callback addresses must be absolute and without "&" or "="',
    ],
    [{ payment_enabled: false }, '0', 'cash', 400, 'Payment is disabled'],
  ]
  for (const [settings, amount, method, expected, error] of table) {
    await set(settings)
    const answer = await open(amount, method)
    expect([answer.status, (answer.body as unknown as { error: string }).error]).toEqual([expected, error])
    await set({ ...paymentSettings(gateway), payment_yipay_notify_url: '' })
  }
  expect((await app.api('POST', ORDERS, { amount: 10, method: 'alipay' }, user.token)).status).toBe(400)
  expect((await open('10', 'ALIPAY')).status).toBe(200)
})

test('the one optional field of the protocol is taken when it is signed, and only then', async () => {
  const { body: order } = await open()
  const { sign: _, ...unsigned } = yipayNotice(order)
  expect((await notify(app, 'yipay', { ...yipayNotice(order), param: 'added later' })).text).toBe('fail')
  expect((await notify(app, 'yipay', { ...unsigned, param: 'x', sign: sign(unsigned, 'gateway-key-5f2c') })).text).toBe('fail')
  expect((await notify(app, 'yipay', yipayNotice(order, { attach: 'x' }))).text).toBe('fail')
  expect(await state(order)).toBe('pending')
  expect((await notify(app, 'yipay', yipayNotice(order, { param: 'shop 7' }))).text).toBe('success')
  expect(await balance()).toBe('10')
})

test('lists and details show only own orders; ten may be open; after two hours an order is expired and a late payment still counts', async () => {
  const { body: first } = await open()
  for (let index = 1; index < 10; index += 1) await open()
  expect((await open()).status).toBe(409)
  const other = await app.user(`other${turn}`)
  expect((await app.api('GET', `${ORDERS}/${first.order_no}`, undefined, other.token)).status).toBe(404)
  expect((await app.api<unknown[]>('GET', ORDERS, undefined, other.token)).body).toEqual([])
  expect((await app.api<unknown[]>('GET', ORDERS, undefined, user.token)).body.length).toBe(10)
  const page = await app.api<{ items: Order[]; total: number }>('GET', `${ORDERS}?page=4&page_size=3`, undefined, user.token)
  expect([page.body.total, page.body.items.map(({ order_no: no }) => no)]).toEqual([10, [first.order_no]])
  const later = new Date(app.clock.now() + 1).toISOString()
  app.clock.advance(2 * HOUR)
  expect(await state(first)).toBe('expired')
  expect((await open()).status).toBe(200)
  const counted = async (query: string) => (await app.api<{ total: number }>('GET', `${ORDERS}?${query}`, undefined, user.token)).body.total
  expect([await counted(`start_time=${later}`), await counted(`end_time=${later}`)]).toEqual([1, 10])
  expect((await app.api('GET', `${ORDERS}?end_date=soon`, undefined, user.token)).status).toBe(400)
  expect((await notify(app, 'yipay', yipayNotice(first))).text).toBe('success')
  expect(await state(first)).toBe('paid')
  expect(await balance()).toBe('10')
  expect((await app.api<{ methods: string[] }>('GET', '/api/user/payment/config', undefined, user.token)).body.methods).toEqual([
    'alipay',
    'wxpay',
  ])
})

test('the returning browser is shown the state and credits nothing', async () => {
  const { body: order } = await open()
  const back = (fields: Record<string, string>) => app.fetch(`/api/payment/yipay/return?${new URLSearchParams(fields).toString()}`)
  const good = await back(yipayNotice(order))
  expect([good.status, good.headers.get('location')]).toEqual([302, `/dashboard/wallet?payment=success&order_no=${order.order_no}`])
  const bad = await back({ ...yipayNotice(order), sign: 'no' })
  expect(bad.headers.get('location')).toBe(`/dashboard/wallet?payment=failed&order_no=${order.order_no}`)
  expect((await back({ out_trade_no: 'https://evil.example' })).headers.get('location')).toBe('/dashboard/wallet?payment=failed&order_no=')
  expect(await state(order)).toBe('pending')
  expect(await balance()).toBe('0')
})

test('an OpenPayment order is signed as its gateway says, confirmed in its own way only, and stays its own when the site changes', async () => {
  await set({ payment_gateway_provider: 'openpayment' })
  const { body: order } = await open()
  const sent = Object.fromEntries(new URL(order.payment_url).searchParams)
  expect(sent['sign']).toBe(sign(sent, MERCHANT.key, true))
  expect(sent).toMatchObject({ sign_type: 'HMAC-SHA256', clientip: '127.0.0.1' })
  await set({ payment_gateway_provider: 'yipay' })
  expect((await notify(app, 'yipay', yipayNotice(order))).text).toBe('fail')
  expect((await notify(app, 'openpayment', openNotice(order, {}, 'MD5'))).text).toBe('fail')
  expect((await notify(app, 'openpayment', openNotice(order, { mch_id: MERCHANT.id }))).text).toBe('fail')
  expect((await notify(app, 'openpayment', openNotice(order, { money: '71.99' }))).text).toBe('fail')
  expect((await notify(app, 'openpayment', openNotice(order, { trade_status: 'WAIT' }))).text).toBe('fail')
  expect((await notify(app, 'openpayment', order.payment_url.split('?')[1] ?? '')).text).toBe('fail')
  expect(await state(order)).toBe('pending')
  const before = gateway.asked.length
  expect(await notify(app, 'openpayment', openNotice(order), 'post')).toEqual({ status: 200, text: 'received' })
  expect(gateway.asked.length).toBe(before)
  expect(await balance()).toBe('10')
  const { body } = await admin('GET', order)
  expect(body.callbacks.map(({ verdict, reason }) => [verdict, reason])).toEqual([
    ['refused', `the order belongs to openpayment`],
    ['refused', 'another kind of signature'],
    ['refused', 'field merchant_id under two names'],
    ['refused', 'the amount differs'],
    ['refused', 'not paid: wait'],
    ['refused', 'unexpected field clientip'],
    ['credited', ''],
  ])
})

test('a gateway whose document cannot be read opens no order, is not asked again at once, and confirms what it knew before', async () => {
  await set({ payment_gateway_provider: 'openpayment' })
  const { body: order } = await open()
  app.clock.advance(HOUR)
  for (const fault of ['error', 'html', 'huge'] as const) {
    gateway.discovery = fault
    app.clock.advance(60_000)
    const asked = gateway.asked.length
    await open()
    await open()
    expect(gateway.asked.length - asked).toBe(2)
  }
  expect((await notify(app, 'openpayment', openNotice(order))).text).toBe('received')
  await set({ payment_openpayment_config_url: `${gateway.url}/nowhere` })
  expect((await open()).status).toBe(500)
  await set({ payment_openpayment_config_url: '', payment_openpayment_key: null })
  expect((await open()).body).toMatchObject({ error: 'Open Payment merchant is not configured' })
  await set({ payment_openpayment_base_url: '' })
  expect((await open()).body).toMatchObject({ error: 'Open Payment discovery URL is not configured' })
})

test('a gateway that wants a form gets one from a page behind a signed link that ends', async () => {
  await set({ payment_gateway_provider: 'openpayment' })
  gateway.document = { transports: { payment_create: ['form_post'] }, payment_methods: [{ code: 'ali', aliases: ['ALIPAY'] }] }
  const { body: order } = await open()
  const url = new URL(order.payment_url)
  expect(url.origin).toBe('https://shop.example')
  const page = async (path: string) => {
    const response = await app.fetch(path)
    return { status: response.status, text: await response.text(), policy: response.headers.get('content-security-policy') ?? '' }
  }
  const shown = await page(url.pathname + url.search)
  expect(shown.status).toBe(200)
  expect(shown.text).toContain(`action="${gateway.url}/submit"`)
  expect(shown.text).toContain('name="type" value="ALIPAY"')
  expect(shown.policy).toContain(`form-action ${gateway.url}`)
  expect(await page(url.pathname)).toMatchObject({ status: 404, text: 'payment order not found' })
  expect((await page(`${url.pathname}?until=99999999999999&token=x`)).status).toBe(404)
  expect((await open('10', 'wxpay')).status).toBe(500)
  await notify(app, 'openpayment', openNotice(order))
  expect(await page(url.pathname + url.search)).toMatchObject({ status: 409, text: 'payment order is not pending' })
  app.clock.advance(900_000)
  expect((await page(url.pathname + url.search)).status).toBe(404)
  await set({ payment_gateway_provider: 'yipay' })
  expect(await page(url.pathname + url.search)).toMatchObject({ status: 404, text: 'not found' })
})

test('asking again credits what the gateway says was paid, and only that', async () => {
  const { body: order } = await open()
  const ask = () => app.api<OrderWire>('POST', `${ORDERS}/${order.order_no}/recheck`, undefined, user.token)
  const truth = { code: 1, pid: 1001, out_trade_no: order.order_no, trade_no: 'T9', money: '72.00', status: 1 }
  expect((await ask()).body.status).toBe('pending')
  for (const lie of [{ status: 0 }, { pid: 2 }, { money: '0.01' }, { out_trade_no: 'PAY1' }]) {
    gateway.answer = { ...truth, ...lie }
    expect((await ask()).body.status).toBe('pending')
  }
  gateway.answer = truth
  app.clock.advance(60_000)
  expect((await admin('POST', order, '/recheck')).body.status).toBe('paid')
  expect((await ask()).body.status).toBe('paid')
  expect(await balance()).toBe('10')
})

test('staff find, complete, cancel and refund orders; each with a reason, each audited, none twice', async () => {
  const { body: order } = await open()
  const { body: gone } = await open('20')
  expect((await admin('POST', order, '/resolve', { outcome: 'paid', reason: ' ' })).status).toBe(400)
  expect((await admin('POST', order, '/refund', { reason: 'why' })).status).toBe(409)
  const done = await admin('POST', order, '/resolve', { outcome: 'paid', reason: 'seen at the bank', trade_no: 'T5' })
  expect([done.status, done.body.status, done.body.trade_no]).toEqual([200, 'paid', 'T5'])
  expect((await admin('POST', order, '/resolve', { outcome: 'cancelled', reason: 'x' })).status).toBe(409)
  expect((await notify(app, 'yipay', yipayNotice(order))).text).toBe('success')
  expect(await balance()).toBe('10')
  expect((await admin('POST', gone, '/resolve', { outcome: 'cancelled', reason: 'asked for' })).body.status).toBe('cancelled')
  expect((await notify(app, 'yipay', yipayNotice(gone))).text).toBe('fail')
  expect((await admin('POST', order, '/refund', { reason: 'sent back' })).body.status).toBe('refunded')
  expect((await admin('POST', order, '/refund', { reason: 'sent back' })).status).toBe(409)
  expect((await notify(app, 'yipay', yipayNotice(order))).text).toBe('success')
  expect(await balance()).toBe('0')
  expect((await admin('GET', order)).body.entries.map(({ kind, amount }) => [kind, amount])).toEqual([
    ['recharge', '10'],
    ['refund', '-10'],
  ])
  const audits = await app.deps.db.query
    .selectFrom('audit_log')
    .select('action')
    .where('object_type', '=', 'payment_order')
    .orderBy('id')
    .execute()
  expect(audits.map(({ action }) => action)).toEqual(['complete', 'cancel', 'refund'])

  const found = async (query: string) =>
    (await app.api<{ items: Order[] }>('GET', `/api/payment/orders?user_id=${user.id}&${query}`)).body.items.map(({ order_no: no }) => no)
  expect(await found('')).toEqual([gone.order_no, order.order_no])
  expect(await found('status=refunded')).toEqual([order.order_no])
  expect(await found('trade_no=T5')).toEqual([order.order_no])
  expect(await found('amount=20.0')).toEqual([gone.order_no])
  expect(await found('refused=true')).toEqual([gone.order_no])
  expect(await found('provider=openpayment')).toEqual([])
  expect(await found('overdue=true')).toEqual([])
  expect(await found('from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z')).toEqual([])
  expect((await app.api('GET', '/api/payment/orders?amount=x')).status).toBe(400)
  expect((await app.api('GET', '/api/payment/orders', undefined, user.token)).status).toBe(403)
  expect((await app.api('GET', '/api/payment/orders/PAY1')).status).toBe(404)
})
