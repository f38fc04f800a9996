import { expect, test } from 'bun:test'
import { readDatabase } from '../../server/db/open.ts'
import { checkBooks } from '../../server/features/books/service.ts'
import { makeDatabase } from '../database.ts'
import { paymentSettings, yipayNotice, type Order } from '../payments/gateway.ts'
import { setUpSite } from '../site.ts'
import { freePort, startServer } from './process.ts'

/** promises.md M4: ten kills while notifications arrive, fifty at once. */
const KILLS = 10
const ORDERS_PER_ROUND = 10
const COPIES = 10

/** Brings a notification; undefined when the server was gone. */
async function notify(base: string, fields: Record<string, string>): Promise<string | undefined> {
  try {
    const response = await fetch(`${base}/api/payment/yipay/notify`, { method: 'POST', body: new URLSearchParams(fields) })
    return await response.text()
  } catch {
    return undefined
  }
}

test(`M4: after ${KILLS} kill -9 among notifications each paid order is credited exactly once and no other is`, async () => {
  const { options: database, remove } = await makeDatabase()
  const port = await freePort()
  let server = await startServer(database, port)
  try {
    const site = await setUpSite(server.base)
    // No gateway is asked in this test: the notifications come from here.
    await site.api('PUT', '/api/settings', paymentSettings({ url: 'http://127.0.0.1:1' }))
    await site.setBalance('0')
    const paid: string[] = []
    for (let round = 0; round < KILLS; round += 1) {
      const orders: Order[] = []
      for (let index = 0; index < ORDERS_PER_ROUND; index += 1)
        orders.push(await site.api<Order>('POST', '/api/user/payment/orders', { amount: '10', method: 'alipay' }))
      const real = orders.filter((_, index) => index % 2 === 0)
      const unpaid = orders.filter((_, index) => index % 2 === 1)
      const notices = Array.from({ length: COPIES }, () => [
        ...real.map((order) => yipayNotice(order)),
        ...unpaid.map((order) => yipayNotice(order, { trade_status: 'TRADE_CLOSED' })),
      ]).flat()
      const sent = notices.map((notice) => notify(server.base, notice))
      // Among them, at another moment each time: the whole hundred takes some tens of milliseconds.
      await Bun.sleep(2 + round * 4)
      await server.kill('SIGKILL')
      await Promise.all(sent)
      server = await startServer(database, port)
      for (const order of real) expect(await notify(server.base, yipayNotice(order))).toBe('success')
      for (const order of unpaid) {
        expect(await notify(server.base, yipayNotice(order, { trade_status: 'TRADE_CLOSED' }))).toBe('fail')
        await site.api('POST', `/api/payment/orders/${order.order_no}/resolve`, { outcome: 'cancelled', reason: 'never paid' })
      }
      paid.push(...real.map(({ order_no: orderNo }) => orderNo))
      expect(await site.balance()).toBe(String(paid.length * 10))
    }
    const { credits, orders } = await readDatabase(database, async (db) => ({
      credits: await db.selectFrom('ledger_entries').select('reference').where('kind', '=', 'recharge').execute(),
      orders: await db.selectFrom('payment_orders').select('order_no').where('status', '=', 'paid').execute(),
    }))
    expect(credits.map(({ reference }) => reference).sort((a, b) => (a < b ? -1 : 1))).toEqual(paid.sort((a, b) => (a < b ? -1 : 1)))
    expect(orders.length).toBe(paid.length)
    expect((await checkBooks(database)).differences).toEqual([])
  } finally {
    await server.kill('SIGKILL')
    await remove()
  }
}, 120_000)
