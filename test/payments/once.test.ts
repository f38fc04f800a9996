import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createTestApp, type TestApp, type TestUser } from '../app.ts'
import { notify, openNotice, paymentSettings, startGateway, yipayNotice, type FakeGateway, type Order } from './gateway.ts'

/** promises.md M4. */
const ORDERS = 100
const NOTIFICATIONS = 1_000
const AT_ONCE = 50

let app: TestApp
let gateway: FakeGateway
let users: TestUser[]

beforeAll(async () => {
  gateway = startGateway()
  app = await createTestApp({ settings: paymentSettings(gateway) })
  users = []
  for (let index = 0; index < ORDERS / 10; index += 1) users.push(await app.user(`payer${index}`))
})
afterAll(async () => {
  await app.close()
  gateway.stop()
})

type Kind = (order: Order) => Promise<{ status: number; text: string }>

/** Everything that is not a payment. */
const forged: Kind[] = [
  (order) => notify(app, 'yipay', { ...yipayNotice(order), sign: '0'.repeat(32) }),
  (order) => notify(app, 'yipay', yipayNotice(order, {}, '')),
  (order) => notify(app, 'yipay', yipayNotice(order, { money: '0.01' })),
  (order) => notify(app, 'yipay', yipayNotice(order, { pid: '1002' })),
  (order) => notify(app, 'yipay', yipayNotice(order, { trade_status: 'TRADE_CLOSED' }), 'post'),
  (order) => notify(app, 'yipay', yipayNotice(order, { trade_status: 'WAIT_BUYER_PAY' })),
  (order) => notify(app, 'openpayment', openNotice(order)),
  (order) => notify(app, 'openpayment', openNotice(order, {}, 'MD5'), 'post'),
  (order) => notify(app, 'yipay', `${new URLSearchParams(yipayNotice(order)).toString()}&money=0.01`),
  // What the payer got to see, sent back as if it were a notification.
  (order) => notify(app, 'yipay', new URL(order.payment_url).search.slice(1)),
]

test('M4: 1,000 replayed, forged and out-of-order notifications over 100 orders credit exactly the paid ones, once', async () => {
  const orders: Order[] = []
  for (const user of users)
    for (let index = 0; index < 10; index += 1) {
      const { status, body } = await app.api<Order>('POST', '/api/user/payment/orders', { amount: '10', method: 'alipay' }, user.token)
      expect(status).toBe(200)
      orders.push(body)
    }
  const paid = (index: number): boolean => index % 2 === 0
  const steps: (() => Promise<void>)[] = []
  orders.forEach((order, index) => {
    for (const kind of forged.slice(0, paid(index) ? 4 : 10))
      steps.push(async () => {
        expect(await kind(order)).toEqual({ status: 400, text: 'fail' })
      })
    // Paid ones: each notification three times and by both roads, a closing one behind it, and the browser.
    if (!paid(index)) return
    for (const how of ['get', 'post', 'json', 'post'] as const)
      steps.push(async () => {
        expect(await notify(app, 'yipay', yipayNotice(order), how)).toEqual({ status: 200, text: 'success' })
      })
    steps.push(async () => {
      expect((await notify(app, 'yipay', yipayNotice(order, { trade_status: 'TRADE_CLOSED' }))).status).toBe(400)
    })
    steps.push(async () => {
      const back = await app.fetch(`/api/payment/yipay/return?${new URLSearchParams(yipayNotice(order)).toString()}`)
      expect(back.headers.get('location')).toBe(`/dashboard/wallet?payment=success&order_no=${order.order_no}`)
    })
  })
  expect(steps.length).toBe(NOTIFICATIONS)
  // Out of order, the same each time.
  steps.sort((a, b) => (steps.indexOf(a) % 7) - (steps.indexOf(b) % 7))
  for (let from = 0; from < steps.length; from += AT_ONCE) {
    await Promise.all(steps.slice(from, from + AT_ONCE).map((step) => step()))
    // A stop between the credit and the state of the order, ten times.
    if (from % 100 === 0)
      await app.deps.db.query.updateTable('payment_orders').set({ status: 'pending' }).where('status', '=', 'paid').execute()
  }
  for (const [index, order] of orders.entries())
    if (paid(index)) expect((await notify(app, 'yipay', yipayNotice(order))).text).toBe('success')

  for (const user of users) {
    const { body } = await app.api<{ balance: string }>('GET', '/api/user/me', undefined, user.token)
    expect(body.balance).toBe('50')
  }
  const rows = await app.deps.db.query.selectFrom('payment_orders').select('status').orderBy('id').execute()
  expect(rows.map(({ status }) => status)).toEqual(orders.map((_, index) => (paid(index) ? 'paid' : 'pending')))
  const entries = await app.deps.db.query.selectFrom('ledger_entries').select('reference').where('kind', '=', 'recharge').execute()
  expect(entries.map(({ reference }) => reference).sort()).toEqual(
    orders
      .filter((_, index) => paid(index))
      .map(({ order_no: no }) => no)
      .sort(),
  )
  const journal = await app.deps.db.query.selectFrom('payment_callbacks').select(['verdict', 'reason']).execute()
  expect(journal.length).toBe(NOTIFICATIONS + ORDERS / 2)
  expect(journal.filter(({ verdict, reason }) => verdict === 'refused' && reason === '')).toEqual([])
  expect(journal.filter(({ verdict }) => verdict === 'credited').length).toBe(ORDERS / 2)
}, 60_000)

test('a stop after the credit and before the state is healed without any further notification', async () => {
  const [user] = users
  if (!user) throw new Error('no user')
  await app.deps.db.query.updateTable('payment_orders').set({ status: 'pending', expires_at: 0 }).where('status', '=', 'paid').execute()
  const { lookAfterOrders } = await import('../../server/features/payments/recheck.ts')
  await lookAfterOrders(app.deps)
  const rows = await app.deps.db.query.selectFrom('payment_orders').select('id').where('status', '=', 'paid').execute()
  expect(rows.length).toBe(ORDERS / 2)
})
