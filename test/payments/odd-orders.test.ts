import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { AdminOrderDetail, OrderWire } from '../../contract/api/payments.ts'
import { submitLink } from '../../server/features/payments/submit-link.ts'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'
import { notify, paymentSettings, startGateway, yipayNotice, type FakeGateway, type Order } from './gateway.ts'

/* Orders in states that a day of business seldom brings. */

const ORDERS = '/api/user/payment/orders'
let app: TestApp
let gateway: FakeGateway
let user: TestUser
let turn = 0

beforeAll(async () => {
  gateway = startGateway()
  app = await createTestApp()
})
afterAll(async () => {
  await app.close()
  gateway.stop()
})
beforeEach(async () => {
  turn += 1
  user = await app.user(`payer${turn}`)
  await set({ ...paymentSettings(gateway), payment_gateway_provider: 'yipay' })
})

const set = (values: Record<string, unknown>) => app.api('PUT', '/api/settings', values)
const open = (amount = '10') => app.api<Order & OrderWire & { code?: string }>('POST', ORDERS, { amount, method: 'alipay' }, user.token)
const balance = async () => (await app.api<{ balance: string }>('GET', '/api/user/me', undefined, user.token)).body.balance
const admin = (method: string, order: Order, verb = '', body?: unknown) =>
  app.api<AdminOrderDetail>(method, `/api/payment/orders/${order.order_no}${verb}`, body)

test('a form is given for orders of that gateway only', async () => {
  const { body: order } = await open()
  await set({ payment_gateway_provider: 'openpayment' })
  const { pathname, search } = new URL(submitLink(app.deps, order.order_no))
  const response = await app.fetch(pathname + search)
  expect([response.status, await response.text()]).toEqual([400, 'payment order provider mismatch'])
})

test('an order that was completed by hand takes the trade number of the notification that comes later, and no money', async () => {
  const { body: order } = await open()
  await admin('POST', order, '/resolve', { outcome: 'paid', reason: 'seen at the bank' })
  expect((await admin('GET', order)).body.trade_no).toBe('')
  const notice = yipayNotice(order)
  expect((await notify(app, 'yipay', notice)).text).toBe('success')
  expect((await notify(app, 'yipay', yipayNotice(order, { trade_no: 'T-other' }))).text).toBe('success')
  const { body } = await admin('GET', order)
  expect(body.trade_no).toBe(notice['trade_no'] ?? '')
  expect(body.callbacks.map(({ verdict, reason }) => [verdict, reason])).toEqual([
    ['repeated', 'credited before'],
    ['repeated', 'credited before; another trade number: T-other'],
  ])
  expect(await balance()).toBe('10')
})

test('a rightly signed notification of an order that nobody opened credits nothing', async () => {
  const { body: order } = await open()
  const nobodys = { ...order, order_no: order.order_no.replace(/.{4}$/, (end) => (end === '0000' ? '1111' : '0000')) }
  expect(await notify(app, 'yipay', yipayNotice(nobodys))).toEqual({ status: 400, text: 'fail' })
  const rows = app.deps.db.query.selectFrom('payment_callbacks').select('reason').where('order_no', '=', nobodys.order_no)
  expect(await rows.execute()).toEqual([{ reason: 'there is no such order' }])
})

test('staff of finance may ask for the orders of others, nobody else', async () => {
  const { body: order } = await open()
  const path = `${ORDERS}/${order.order_no}/recheck`
  const [finance, other] = [await app.user(`finance${turn}`, 'finance'), await app.user(`other${turn}`)]
  expect((await app.api('POST', path, undefined, other.token)).status).toBe(404)
  expect((await app.api<OrderWire>('POST', path, undefined, finance.token)).body.status).toBe('pending')
})

test('an amount that is less than the smallest coin, or more than a gateway can say, opens no order', async () => {
  await set({ payment_min_recharge_amount: '0.0000000001' })
  expect(await open('0.0001')).toMatchObject({ status: 400, body: { code: 'payment_amount' } })
  await set({ payment_min_recharge_amount: '1', payment_usd_to_rmb_rate: '1000000' })
  expect(await open('100000')).toMatchObject({ status: 400, body: { code: 'payment_amount' } })
  await set({ payment_usd_to_rmb_rate: '7.20' })
  expect((await open()).body.rmb_amount).toBe('72.00')
})
