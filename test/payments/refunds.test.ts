import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AdminOrderWire } from '../../contract/api/payments.ts'
import type { CommissionWire } from '../../contract/api/referrals.ts'
import { ZERO } from '../../contract/money.ts'
import { checkBooks } from '../../server/features/books/service.ts'
import { refund as refundNow, refundShare } from '../../server/features/payments/refunds.ts'
import { payRewards } from '../../server/jobs/rewards.ts'
import { createTestApp, type TestApp } from '../app.ts'
import { amount, charge, give } from '../charge.ts'
import { crowd } from '../crowd.ts'
import { notify, paymentSettings, yipayNotice, type Order } from './gateway.ts'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp({
    settings: {
      ...paymentSettings({ url: 'http://127.0.0.1:1' }),
      referral_enabled: true,
      referral_commission_rate: '0.1',
      referral_hold_days: '0',
    },
  })
})
afterAll(() => app.close())

/** A user who has paid ten. */
async function payer(name: string) {
  const user = await app.user(name)
  return { user, order: await pay(user.token) }
}

async function pay(token: string): Promise<Order> {
  const { body } = await app.api<Order>('POST', '/api/user/payment/orders', { amount: '10', method: 'alipay' }, token)
  expect((await notify(app, 'yipay', yipayNotice(body))).text).toBe('success')
  return body
}

const refund = (order: Order, body: Record<string, unknown> = {}) =>
  app.api<AdminOrderWire & { code: string }>('POST', `/api/payment/orders/${order.order_no}/refund`, { reason: 'asked for', ...body })
const auditOf = async (order: Order) => {
  const rows = app.deps.db.query.selectFrom('audit_log').select('action').where('object_id', '=', order.order_no)
  return (await rows.where('object_type', '=', 'payment_order').execute()).map(({ action }) => action)
}
const balanceOf = async (token: string) => (await app.api<{ balance: string }>('GET', '/api/user/me', undefined, token)).body.balance

test('a refund takes what is left of the payment: spent and given money stay out of it', async () => {
  const { user, order } = await payer('left')
  await give(app, user.id, '3', true)
  // Given money is spent first: 3 of the gift, 4 of the payment.
  await charge(app, user.id, { usage: { input: 7_000_000 } })
  await give(app, user.id, '2', true)
  const answer = await refund(order)
  expect(answer).toMatchObject({ status: 200, body: { status: 'refunded', refunded_amount: '6', refund_uncollected: '0' } })
  expect(await balanceOf(user.token)).toBe('2')
  expect((await refund(order)).status).toBe(409)
  const own = await app.api<AdminOrderWire>('GET', `/api/user/payment/orders/${order.order_no}`, undefined, user.token)
  expect(own.body).toMatchObject({ status: 'refunded', refunded_amount: '6' })
})

test('of a payment that is spent nothing is refunded, and the order stays paid', async () => {
  const { user, order } = await payer('spent')
  await charge(app, user.id, { usage: { input: 10_000_000 } })
  await give(app, user.id, '5', true)
  expect(await refund(order)).toMatchObject({ status: 409, body: { code: 'payment_nothing_left' } })
  expect(await balanceOf(user.token)).toBe('5')
})

test.each([false, true])(
  'a stop between the booking of a refund and its state is finished by asking again (chargeback: %p)',
  async (chargeback) => {
    const { user, order } = await payer(`stopped${chargeback}`)
    await charge(app, user.id, { usage: { input: 4_000_000 } })
    await give(app, user.id, '1', true)
    const first = (await refund(order, { chargeback })).body
    await app.deps.db.query
      .updateTable('payment_orders')
      .set({ status: 'paid', refunded_amount: ZERO, refund_uncollected: ZERO, clawback_base: ZERO })
      .where('order_no', '=', order.order_no)
      .execute()
    const kept = await balanceOf(user.token)
    expect((await refund(order, { chargeback })).body).toMatchObject({
      status: 'refunded',
      refunded_amount: first.refunded_amount,
      refund_uncollected: first.refund_uncollected,
    })
    expect(await balanceOf(user.token)).toBe(kept)
    expect((await refund(order)).status).toBe(409)
  },
)

test('ten that finish a refund that stopped are one', async () => {
  const { user, order } = await payer('stopped-many')
  await refund(order)
  await app.deps.db.query.updateTable('payment_orders').set({ status: 'paid' }).where('order_no', '=', order.order_no).execute()
  // Not as requests: each of those is answered before the next is read.
  const finish = () => refundNow(app.deps, order.order_no, { reason: 'asked for', chargeback: false }, { userId: 1, ip: '192.0.2.1' })
  const answers = await Promise.all(
    Array.from({ length: 10 }, () =>
      finish().then(
        ({ status }) => status,
        (error: unknown) => (error as { code: string }).code,
      ),
    ),
  )
  expect(answers.toSorted()).toEqual([...Array.from({ length: 9 }, () => 'payment_order_state'), 'refunded'])
  expect(await balanceOf(user.token)).toBe('0')
  expect(await auditOf(order)).toEqual(['refund', 'refund'])
})

test('a chargeback of a payment that is all spent takes nothing, books nothing and is written off whole', async () => {
  const { user, order } = await payer('all-spent')
  await charge(app, user.id, { usage: { input: 10_000_000 } })
  expect(await refund(order, { chargeback: true })).toMatchObject({
    status: 200,
    body: { status: 'refunded', refunded_amount: '0', refund_uncollected: '10' },
  })
  expect(await balanceOf(user.token)).toBe('0')
  const { body } = await app.api<{ entries: { kind: string }[] }>('GET', `/api/payment/orders/${order.order_no}`)
  expect(body.entries.map(({ kind }) => kind)).toEqual(['recharge'])
  expect(await auditOf(order)).toEqual(['chargeback'])
})

test('ten refunds at the same moment are one', async () => {
  const { user, order } = await payer('many')
  const answers = await Promise.all(Array.from({ length: 10 }, () => refund(order)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(await balanceOf(user.token)).toBe('0')
  expect(await auditOf(order)).toEqual(['refund'])
})

test('ten completions and ten cancellations by hand at the same moment book once and leave the rows of what happened', async () => {
  const user = await app.user('by-hand')
  const { body: order } = await app.api<Order>('POST', '/api/user/payment/orders', { amount: '10', method: 'alipay' }, user.token)
  const resolve = (outcome: string) =>
    app.api('POST', `/api/payment/orders/${order.order_no}/resolve`, { outcome, reason: 'seen at the bank', trade_no: 'T1' })
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => resolve(index % 2 === 0 ? 'paid' : 'cancelled')))
  const done = answers.filter(({ status }) => status === 200)
  expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true)
  expect(await balanceOf(user.token)).toBe('10')
  const rows = await auditOf(order)
  expect(rows.filter((action) => action === 'complete')).toHaveLength(1)
  expect(rows).toHaveLength(done.length)
})

test('refunds of several payments at the same moment share what is left, to the last unit', async () => {
  const { user, order } = await payer('busy')
  const orders = [order]
  while (orders.length < 5) orders.push(await pay(user.token))
  await charge(app, user.id, { usage: { input: 25_000_000 } })
  const answers = await Promise.all(orders.map((each) => refund(each)))
  const taken = answers.map(({ status, body }) => (status === 200 ? body.refunded_amount : body.code))
  expect(taken.toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([
    '10',
    '10',
    '5',
    'payment_nothing_left',
    'payment_nothing_left',
  ])
  expect(await balanceOf(user.token)).toBe('0')
})

test('a chargeback takes all that is there, writes off the rest, and takes the commissions of what was spent back, once', async () => {
  const inviter = await app.user('inviter')
  const [guestId = 0] = await crowd(app, ['guest@example.test'], inviter.id)
  const account = await app.deps.db.query.selectFrom('accounts').select('id').where('user_id', '=', guestId).executeTakeFirstOrThrow()
  const order = await orderOf(guestId, account.id)
  await charge(app, guestId, { usage: { input: 4_000_000 } })
  await charge(app, guestId, { usage: { input: 3_000_000 } })
  await give(app, guestId, '1', true)
  app.clock.advance(60_000)
  await payRewards(app.deps)
  expect(await balanceOf(inviter.token)).toBe('0.7')
  expect(await refund(order, { chargeback: true })).toMatchObject({ body: { refunded_amount: '4', refund_uncollected: '6' } })
  // A call that was settled just before earns its commission first, so that nothing escapes.
  app.clock.advance(60_000)
  for (let run = 0; run < 3; run += 1) {
    await payRewards(app.deps)
    // A crash before the mark: the same order comes again.
    await app.deps.db.query.updateTable('payment_orders').set({ clawed_back_at: null }).execute()
    await app.deps.db.query.updateTable('commission_clawbacks').set({ booked_at: null }).execute()
  }
  await payRewards(app.deps)
  expect(await balanceOf(inviter.token)).toBe('0')
  const clawbacks = await app.deps.db.query.selectFrom('commission_clawbacks').select(['amount', 'collected']).execute()
  expect(clawbacks.every((row) => row.collected === row.amount)).toBe(true)
  const { body } = await app.api<CommissionWire[]>('GET', '/api/referral-commissions')
  expect(body.map(({ amount: earned, clawed_back: gone }) => [earned, gone])).toEqual([
    ['0.3', '0.3'],
    ['0.4', '0.4'],
  ])
  const own = await app.api<{ total_commission: string }>('GET', '/api/user/referral', undefined, inviter.token)
  expect(own.body.total_commission).toBe('0')
})

test('a commission that is part of a larger usage goes by its share, and what the inviter no longer has is written off', async () => {
  const inviter = await app.user('poor')
  const [guestId = 0] = await crowd(app, ['guest2@example.test'], inviter.id)
  const account = await app.deps.db.query.selectFrom('accounts').select('id').where('user_id', '=', guestId).executeTakeFirstOrThrow()
  const first = await orderOf(guestId, account.id)
  await orderOf(guestId, account.id)
  await charge(app, guestId, { usage: { input: 16_000_000 } })
  app.clock.advance(60_000)
  await payRewards(app.deps)
  expect(await balanceOf(inviter.token)).toBe('1.6')
  await charge(app, inviter.id, { usage: { input: 1_500_000 } })
  // Four are left of twenty; six of the ten were spent.
  expect(await refund(first, { chargeback: true })).toMatchObject({ body: { refunded_amount: '4', refund_uncollected: '6' } })
  app.clock.advance(60_000)
  await payRewards(app.deps)
  await app.deps.db.query.updateTable('payment_orders').set({ clawed_back_at: null }).execute()
  await payRewards(app.deps)
  expect(await balanceOf(inviter.token)).toBe('0')
  const [row] = await app.deps.db.query.selectFrom('commission_clawbacks').selectAll().where('referrer_id', '=', inviter.id).execute()
  expect(row).toMatchObject({ amount: amount('0.6'), collected: amount('0.1') })
  expect((await checkBooks(app.database)).differences).toEqual([])
})

test('the share of a refund never takes more than is free, and never less than nothing', () => {
  const ten = amount('10')
  const account = (balance: string, gifted: string, held: string) => ({
    balance: amount(balance),
    gifted: amount(gifted),
    held: amount(held),
  })
  expect(refundShare(ten, account('10', '0', '4'), false).debit).toBe(amount('6'))
  expect(refundShare(ten, account('-1', '0', '0'), true)).toEqual({ debit: ZERO, gifted: ZERO, spent: ten, uncollected: ten })
  expect(refundShare(ten, account('8', '8', '0'), false).debit).toBe(ZERO)
  expect(refundShare(ten, account('30', '8', '0'), true)).toEqual({ debit: ten, gifted: ZERO, spent: ZERO, uncollected: ZERO })
})

/** A paid order of ten for a user who does not sign in. */
async function orderOf(userId: number, accountId: number): Promise<Order> {
  const owner = await app.user(`payer-${userId}-${app.clock.now()}-${Math.trunc(performance.now() * 1000)}`)
  const { body } = await app.api<Order>('POST', '/api/user/payment/orders', { amount: '10', method: 'alipay' }, owner.token)
  await app.deps.db.query
    .updateTable('payment_orders')
    .set({ user_id: userId, account_id: accountId })
    .where('order_no', '=', body.order_no)
    .execute()
  expect((await notify(app, 'yipay', yipayNotice(body))).text).toBe('success')
  return body
}
