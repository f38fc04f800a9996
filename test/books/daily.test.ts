import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { ReconciliationDetail } from '../../contract/api/reconciliations.ts'
import { money } from '../../contract/money.ts'
import { checkBooks } from '../../server/features/books/service.ts'
import { reconcileDaily } from '../../server/features/reconciliation/daily.ts'
import { payRewards } from '../../server/jobs/rewards.ts'
import { createTestApp, login, type TestApp, type TestUser } from '../app.ts'
import { charge, give } from '../charge.ts'
import { crowd } from '../crowd.ts'
import { notify, paymentSettings, yipayNotice, type Order } from '../payments/gateway.ts'
import { foldUsage } from '../../server/features/usage/fold.ts'

const DAY = 86_400_000

let app: TestApp
let user: TestUser
beforeAll(async () => {
  app = await createTestApp({
    settings: {
      ...paymentSettings({ url: 'http://127.0.0.1:1' }),
      checkin_enabled: true,
      checkin_daily_reward: '1',
      referral_enabled: true,
      referral_commission_rate: '0.1',
      referral_hold_days: '0',
    },
  })
  user = await app.user('caller')
})
afterAll(() => app.close())

let session = { at: -Infinity, token: '' }
/** The owner's token; a new one before the week of the old is over. */
async function owner(): Promise<string> {
  if (app.clock.now() - session.at > 5 * DAY) session = { at: app.clock.now(), token: await login(app, 'owner', 'correct horse battery') }
  return session.token
}

test('M13: the daily job finds 10 of 10 errors planted in the books, and none before', async () => {
  const { query } = app.deps.db
  const token = await login(app, user.username, user.password)
  const pay = async (): Promise<Order> => {
    const { body } = await app.api<Order>('POST', '/api/user/payment/orders', { amount: '10', method: 'alipay' }, token)
    expect((await notify(app, 'yipay', yipayNotice(body))).text).toBe('success')
    return body
  }
  const order = await pay()
  const refunded = await pay()
  const reason = { reason: 'x' }
  expect((await app.api('POST', `/api/payment/orders/${refunded.order_no}/refund`, reason, await owner())).status).toBe(200)
  await app.api('POST', '/api/user/check-in', undefined, token)
  const code = await app.api<{ id: number; code: string }>('POST', '/api/redeem-codes', { amount: '2' }, await owner())
  await app.api('POST', '/api/user/redeem-code', { code: code.body.code }, token)
  const [guest = 0] = await crowd(app, ['guest@example.test'], user.id)
  await give(app, guest, '5')
  await charge(app, guest, { usage: { input: 1_000_000 } })
  app.clock.advance(60_000)
  await payRewards(app.deps)

  const found = async (): Promise<string[]> => {
    app.clock.advance(DAY)
    await reconcileDaily(app.deps, app.database)
    const { body } = await app.api<{ items: { id: number; kind: string }[] }>('GET', '/api/reconciliations', undefined, await owner())
    const [run] = body.items
    expect(run?.kind).toBe('books')
    const detail = await app.api<ReconciliationDetail>('GET', `/api/reconciliations/${run?.id}`, undefined, await owner())
    expect(detail.body.status).toBe(detail.body.differences.length === 0 ? 'equal' : 'different')
    return detail.body.differences.map(({ subject }) => subject.replace(/ \S+$/, ''))
  }
  expect(await found()).toEqual([])

  const entry = (kind: string) =>
    query.selectFrom('ledger_entries').selectAll().where('kind', '=', kind).orderBy('id', 'desc').executeTakeFirstOrThrow()
  const [usage, recharge, checkIn, redeem, commission] = await Promise.all(
    ['usage', 'recharge', 'check_in', 'redeem', 'commission'].map((kind) => entry(kind)),
  )
  if (!usage || !recharge || !checkIn || !redeem || !commission) throw new Error('no entries')
  const rename = (id: number, reference: string) => query.updateTable('ledger_entries').set({ reference }).where('id', '=', id).execute()
  const planted: [string, () => Promise<unknown>, () => Promise<unknown>][] = [
    [
      'balance of account',
      () =>
        query
          .updateTable('accounts')
          .set((row) => ({ balance: row('balance', '+', money(1n)) }))
          .where('user_id', '=', guest)
          .execute(),
      () =>
        query
          .updateTable('accounts')
          .set((row) => ({ balance: row('balance', '-', money(1n)) }))
          .where('user_id', '=', guest)
          .execute(),
    ],
    [
      'charge of call',
      () =>
        query
          .updateTable('logs')
          .set((row) => ({ output_tokens: row('output_tokens', '+', 1) }))
          .where('request_id', '=', usage.reference)
          .execute(),
      () =>
        query
          .updateTable('logs')
          .set((row) => ({ output_tokens: row('output_tokens', '-', 1) }))
          .where('request_id', '=', usage.reference)
          .execute(),
    ],
    ['ledger entry of call', () => rename(usage.id, 'lost'), () => rename(usage.id, usage.reference)],
    [
      'held on account',
      () =>
        query
          .updateTable('accounts')
          .set({ held: money(5n) })
          .where('user_id', '=', guest)
          .execute(),
      () =>
        query
          .updateTable('accounts')
          .set({ held: money(0n) })
          .where('user_id', '=', guest)
          .execute(),
    ],
    ['credit of order', () => rename(recharge.id, 'PAY1'), () => rename(recharge.id, recharge.reference)],
    [
      'refund of order',
      () =>
        query
          .updateTable('payment_orders')
          .set({ refunded_amount: money(7n) })
          .where('order_no', '=', refunded.order_no)
          .execute(),
      () =>
        query
          .updateTable('payment_orders')
          .set({ refunded_amount: money(100_000_000_000n) })
          .where('order_no', '=', refunded.order_no)
          .execute(),
    ],
    ['reward of check-in', () => rename(checkIn.id, '1:1999-01-01'), () => rename(checkIn.id, checkIn.reference)],
    [
      'credit of redeem code',
      () =>
        query
          .updateTable('redemptions')
          .set({ amount: money(1n) })
          .execute(),
      () => query.updateTable('redemptions').set({ amount: redeem.amount }).execute(),
    ],
    [
      'uses of redeem code',
      () => query.updateTable('redeem_codes').set({ used_count: 0 }).execute(),
      () => query.updateTable('redeem_codes').set({ used_count: 1 }).execute(),
    ],
    ['commission of call', () => rename(commission.id, '999999'), () => rename(commission.id, commission.reference)],
  ]
  // Else the job could add up a call while it stands changed.
  await foldUsage(app.deps)
  for (const [what, plant, undo] of planted) {
    await plant()
    expect(await found()).toContain(what)
    await undo()
  }
  expect(await found()).toEqual([])
  expect((await checkBooks(app.database)).differences).toEqual([])
  expect(order.order_no).toStartWith('PAY')
  // Not before a day has passed.
  const runs = () => query.selectFrom('reconciliations').select('id').where('kind', '=', 'books').execute()
  const before = (await runs()).length
  await reconcileDaily(app.deps, app.database)
  expect((await runs()).length).toBe(before)
}, 60_000)

test('books that cannot be read fail the job and leave no run behind', async () => {
  const runs = () => app.deps.db.query.selectFrom('reconciliations').select('id').execute()
  const before = (await runs()).length
  app.clock.advance(DAY)
  const nowhere = app.database.url === undefined ? { path: '/nowhere/at/all.db' } : { path: '', url: 'postgres://nobody@127.0.0.1:1/none' }
  expect(await reconcileDaily(app.deps, nowhere).catch((error: Error) => error.message)).toStartWith('the books could not be audited')
  expect((await runs()).length).toBe(before)
}, 20_000)
