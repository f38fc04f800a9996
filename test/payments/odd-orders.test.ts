import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { AdminOrderDetail, OrderWire } from '../../contract/api/payments.ts'
import { Callbacks } from '../../server/features/payments/callbacks.ts'
import { configOf, ordersPaidIn } from '../../server/features/payments/orders.ts'
import { lookAfterOrders } from '../../server/features/payments/recheck.ts'
import { submitLink } from '../../server/features/payments/submit-link.ts'
import { LiveSettings } from '../../server/lib/live-settings.ts'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'
import { notify, openNotice, paymentSettings, startGateway, yipayNotice, type FakeGateway, type Order } from './gateway.ts'

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

test('an order without a written end is not offered as a form, and a link is none without its token', async () => {
  const { body: order } = await open()
  await set({ payment_gateway_provider: 'openpayment' })
  const { pathname, search, searchParams } = new URL(submitLink(app.deps, order.order_no))
  expect((await app.fetch(`${pathname}?until=${searchParams.get('until')}`)).status).toBe(404)
  await app.deps.db.query.updateTable('payment_orders').set({ expires_at: null }).where('order_no', '=', order.order_no).execute()
  const response = await app.fetch(pathname + search)
  expect([response.status, await response.text()]).toEqual([409, 'payment order is not pending'])
})

test('a method is a text; a list of methods that is none offers nothing', async () => {
  expect(await app.api('POST', ORDERS, { amount: '10', method: 7 }, user.token)).toMatchObject({
    status: 400,
    body: { code: 'payment_method' },
  })
  const methodsOf = (text: string) => {
    const own = new LiveSettings()
    own.replace(new Map([['payment_methods', text]]))
    return configOf({ ...app.deps, settings: own }).methods
  }
  // What a version before may have written; this one refuses it.
  for (const odd of ['{"alipay":true}', '"alipay"', 'alipay']) expect([odd, methodsOf(odd)]).toEqual([odd, []])
  expect(methodsOf('[" alipay ","alipay","",7,"wxpay"]')).toEqual(['alipay', 'wxpay'])
})

test('a notification is kept with its order under either name of the number, and without one where it names none of ours', async () => {
  await set({ payment_gateway_provider: 'openpayment' })
  const { body: order } = await open()
  const { out_trade_no: orderNo = '', ...rest } = openNotice(order)
  expect((await notify(app, 'openpayment', { ...rest, merchant_order_no: orderNo, sign: 'x' })).text).toBe('fail')
  expect((await admin('GET', order)).body.callbacks.map(({ reason }) => reason)).toEqual(['wrong signature'])
  expect((await notify(app, 'openpayment', rest)).text).toBe('fail')
  const last = app.deps.db.query.selectFrom('payment_callbacks').select(['order_no', 'reason']).orderBy('id', 'desc')
  expect(await last.executeTakeFirst()).toEqual({ order_no: '', reason: 'field merchant_order_no is missing' })
  expect(await balance()).toBe('0')
})

test('staff find an order by its number', async () => {
  const { body: order } = await open()
  await open()
  const { body } = await app.api<{ items: Order[]; total: number }>('GET', `/api/payment/orders?order_no=${order.order_no}`)
  expect([body.total, body.items.map(({ order_no: no }) => no)]).toEqual([1, [order.order_no]])
})

test('a gateway that hangs keeps nobody from his other work: what is left over is asked for another time', async () => {
  await lookAfterOrders(app.deps)
  const orders = [(await open()).body, (await open()).body, (await open()).body]
  app.clock.advance(60_000)
  gateway.asking = () => app.clock.advance(20_001)
  const asked = () => gateway.asked.filter((path) => path === '/api.php').length
  const before = asked()
  await lookAfterOrders(app.deps)
  gateway.asking = () => undefined
  expect(asked() - before).toBe(1)
  // A notification still counts for those nobody asked about.
  for (const order of orders) expect((await notify(app, 'yipay', yipayNotice(order))).text).toBe('success')
  expect(await balance()).toBe('30')
})

test('an address that calls without end is told so and leaves no more rows, by either road; others are heard', async () => {
  const { body: order } = await open()
  const callbacks = new Callbacks(app.deps)
  const flood = (how: 'notify' | 'show', ip: string, query = '') => callbacks[how]('yipay', new Request(`http://localhost/?${query}`), ip)
  const rows = async () =>
    (
      await app.deps.db.query
        .selectFrom('payment_callbacks')
        .select((row) => row.fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow()
    ).n
  const before = await rows()
  for (let sent = 0; sent < 3_000; sent += 100) {
    const answers = await Promise.all(Array.from({ length: 100 }, () => flood('notify', '192.0.2.1')))
    expect(answers.every(({ status }) => status === 400)).toBe(true)
  }
  const notice = new URLSearchParams(yipayNotice(order)).toString()
  const refused = await flood('notify', '192.0.2.1', notice)
  expect([refused.status, await refused.text()]).toEqual([429, 'fail'])
  const shown = await flood('show', '192.0.2.1', notice)
  expect([shown.status, shown.headers.get('location')]).toEqual([302, `/dashboard/wallet?payment=failed&order_no=${order.order_no}`])
  expect((await rows()) - before).toBe(3_000)
  expect(await balance()).toBe('0')
  expect((await flood('notify', '192.0.2.2', notice)).status).toBe(200)
  expect(await balance()).toBe('10')
  app.clock.advance(61_000)
  expect((await flood('notify', '192.0.2.1', notice)).status).toBe(200)
}, 30_000)

test('a statement lists the orders that were paid in its time, to the millisecond, the newest first, and only own ones', async () => {
  const [first, , third] = [(await open()).body, (await open()).body, (await open('20')).body]
  await notify(app, 'yipay', yipayNotice(first))
  const paidAt = app.clock.now()
  app.clock.advance(1_000)
  await notify(app, 'yipay', yipayNotice(third))
  const numbers = async (from: number, before: number, userId = user.id) =>
    (await ordersPaidIn(app.deps, userId, from, before)).map(({ order_no: no }) => no)
  expect(await numbers(paidAt, paidAt + 1_001)).toEqual([third.order_no, first.order_no])
  expect(await numbers(paidAt, paidAt + 1_000)).toEqual([first.order_no])
  expect(await numbers(paidAt + 1, paidAt + 1_001)).toEqual([third.order_no])
  expect(await numbers(paidAt - 1, paidAt)).toEqual([])
  expect(await numbers(paidAt, paidAt + 1_001, (await app.user(`other${turn}`)).id)).toEqual([])
  const month = new Date(paidAt).toISOString().slice(0, 7)
  const { body } = await app.api<{ orders: OrderWire[] }>('GET', `/api/user/statements/${month}`, undefined, user.token)
  expect(body.orders.map(({ order_no: no, status, amount }) => [no, status, amount])).toEqual([
    [third.order_no, 'paid', '20'],
    [first.order_no, 'paid', '10'],
  ])
})

test('what cannot be read is written down without a word of it; what was paid says no reason', async () => {
  const { body: order } = await open()
  const last = app.deps.db.query.selectFrom('payment_callbacks').select(['order_no', 'reason', 'payload']).orderBy('id', 'desc')
  const twice = `${new URLSearchParams(yipayNotice(order)).toString()}&money=1`
  expect((await notify(app, 'yipay', twice)).text).toBe('fail')
  expect(await last.executeTakeFirst()).toEqual({ order_no: '', reason: 'repeated field money', payload: '{}' })
  const response = await app.fetch('/api/payment/yipay/notify?money=1', { method: 'POST', body: new URLSearchParams(yipayNotice(order)) })
  expect(response.status).toBe(400)
  expect(await last.executeTakeFirst()).toEqual({ order_no: '', reason: 'fields in the address of a POST', payload: '{}' })
  const notice = yipayNotice(order)
  expect((await notify(app, 'yipay', notice)).text).toBe('success')
  expect(await last.executeTakeFirst()).toEqual({ order_no: order.order_no, reason: '', payload: JSON.stringify(notice) })
  const { body } = await admin('GET', order)
  expect(body).toMatchObject({
    status: 'paid',
    closed_reason: '',
    trade_no: notice['trade_no'],
    entries: [{ kind: 'recharge', reason: '' }],
  })
})

test('a gateway is asked about an order six times a minute at most, and about one that is paid no more', async () => {
  const { body: order } = await open()
  const { body: other } = await open()
  const asked = () => gateway.asked.filter((path) => path === '/api.php').length
  const ask = async (about: Order, times: number) => {
    const before = asked()
    for (let n = 0; n < times; n += 1) {
      const { body } = await app.api<OrderWire>('POST', `${ORDERS}/${about.order_no}/recheck`, undefined, user.token)
      expect(body.status).toBe(about === paid ? 'paid' : 'pending')
    }
    return asked() - before
  }
  let paid: Order | undefined
  expect([await ask(order, 8), await ask(other, 1)]).toEqual([6, 1])
  app.clock.advance(60_000)
  expect(await ask(order, 1)).toBe(1)
  await notify(app, 'yipay', yipayNotice(order))
  paid = order
  app.clock.advance(60_000)
  expect(await ask(order, 2)).toBe(0)
})
