import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { CommissionWire } from '../../../contract/api/referrals.ts'
import { EMPTY_USAGE } from '../../../contract/meters.ts'
import { formatMoney, money, MONEY_ONE, parseMoney, type Money, ZERO } from '../../../contract/money.ts'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { addresses, crowd } from '../../../test/crowd.ts'
import { draftOf } from '../billing/draft.ts'
import { accountOf, credit, ledgerOf } from '../billing/service.ts'
import { checkBooks } from '../books/service.ts'
import { creditDueCommissions, earnCommissions, paidPart, sameMailbox } from './earn.ts'
import { callFacts } from '../../../test/call-facts.ts'

const DAY = 86_400_000
const CARD = '{"prices":{"input":"1"},"tiers":{},"quota_type":0}'
const amountOf = (text: string): Money => parseMoney(text) ?? ZERO

let app: TestApp
let serial = 0
beforeEach(async () => {
  app = await createTestApp({ settings: { referral_enabled: true, referral_commission_rate: '0.1' } })
})
afterEach(() => app.close())

async function give(userId: number, amount: Money, gifted = false): Promise<void> {
  const { id } = await accountOf(app.deps, userId)
  await credit(app.deps, { accountId: id, kind: 'recharge', reference: `r${serial++}`, amount, gifted: gifted ? amount : ZERO })
}

/** A call that costs `tokens` millionths; refused when there is no money for a hold of 1e-6. */
async function call(userId: number, tokens: number): Promise<void> {
  const now = app.clock.now()
  const { id: accountId } = await accountOf(app.deps, userId)
  const requestId = `req_${serial++}`
  const ledger = ledgerOf(app.deps.db)
  const held = money(MONEY_ONE / 1_000_000n)
  await ledger.hold({ requestId, accountId, quotaKeyId: null, amount: held, now, deadlineAt: now + 1, context: '{}' })
  const cost = money((BigInt(tokens) * MONEY_ONE) / 1_000_000n)
  const facts = callFacts({ requestId, userId, accountId, priceSnapshot: CARD, createdAt: now })
  const how = { status: 200, endReason: 'complete', usageSource: 'upstream', items: 1, upstreamCost: null, chargeNote: '' } as const
  const result = {
    ...how,
    usage: { ...EMPTY_USAGE, input: tokens },
    baseCost: cost,
    losses: [],
    attempts: [],
    error: '',
    firstResponseMs: 1,
    responseMs: 2,
  }
  const log = draftOf(facts, undefined, result, cost)
  await ledger.settle({ requestId, accountId, apiKeyId: null, cost, now, log })
}

/** Lets the rows come of age and looks for commissions. */
async function look(): Promise<void> {
  app.clock.advance(60_000)
  await earnCommissions(app.deps)
}

const commissions = () => app.deps.db.query.selectFrom('referral_commissions').selectAll().orderBy('id').execute()

test('a paid call earns its inviter a commission once, held for seven days and then credited once', async () => {
  const inviter = await app.user('ivy')
  const [guest = 0] = await crowd(app, ['guest@example.test'], inviter.id)
  await give(guest, amountOf('10'))
  await call(guest, 2_000_000)
  await earnCommissions(app.deps)
  expect(await commissions()).toHaveLength(0)
  await look()
  await look()
  expect(await commissions()).toMatchObject([{ base_cost: amountOf('2'), amount: amountOf('0.2'), credited_at: null }])
  await creditDueCommissions(app.deps)
  const mine = async () => (await app.api<{ recent_logs: CommissionWire[] }>('GET', '/api/user/referral', undefined, inviter.token)).body
  expect(await mine()).toMatchObject({
    invite_count: 1,
    total_commission: '0',
    pending_commission: '0.2',
    commission_rate: '0.1',
    hold_days: 7,
  })
  app.clock.advance(6 * DAY)
  await creditDueCommissions(app.deps)
  expect((await accountOf(app.deps, inviter.id)).balance).toBe(ZERO)
  app.clock.advance(DAY)
  await Promise.all([creditDueCommissions(app.deps), creditDueCommissions(app.deps)])
  await creditDueCommissions(app.deps)
  const account = await accountOf(app.deps, inviter.id)
  expect([account.balance, account.gifted]).toEqual([amountOf('0.2'), amountOf('0.2')])
  expect((await checkBooks(app.database)).differences).toEqual([])
})

test('the inviter sees his link and masked names; administrators see all commissions', async () => {
  const inviter = await app.user('ivy')
  const hostile = await app.fetch('https://evil.example/api/user/referral', { headers: { authorization: `Bearer ${inviter.token}` } })
  expect(((await hostile.json()) as { link: string }).link).toMatch(/^\/\?ref=[A-Z2-7]{13}$/)
  await app.api('PUT', '/api/settings', { base_url: 'https://shop.example/' })
  const [guest = 0] = await crowd(app, ['secretname@example.test'], inviter.id)
  await give(guest, amountOf('10'))
  await call(guest, 1_000_000)
  await look()
  const own = await app.api<{ link: string; code: string }>('GET', '/api/user/referral', undefined, inviter.token)
  expect(own.body.link).toBe(`https://shop.example/?ref=${own.body.code}`)
  expect(JSON.stringify(own.body)).not.toContain('secretname')
  expect(own.body).toMatchObject({
    enabled: true,
    recent_logs: [{ amount: '0.1', base_cost: '1', referred_user: { id: guest, username: 'c***t' } }],
  })
  const all = await app.api<CommissionWire[]>('GET', '/api/referral-commissions')
  expect(all.body).toMatchObject([{ referrer_id: inviter.id, referred_user_id: guest, rate: '0.1' }])
  expect(await app.api('GET', '/api/referral-commissions?page=1')).toMatchObject({ body: { total: 1, items: [{ amount: '0.1' }] } })
  expect((await app.api('GET', '/api/referral-commissions', undefined, inviter.token)).status).toBe(403)
})

test('gifted money, debt, a second mailbox of the same person and a deleted relation earn nothing', async () => {
  const [ann = 0, bob = 0] = await crowd(app, ['ann@example.test', 'bob@example.test'])
  const [alias = 0] = await crowd(app, ['a.n.n+2@example.test'], ann)
  const [gifted = 0, debtor = 0, own = 0] = await crowd(app, addresses(3, 'poor'), bob)
  await give(alias, amountOf('5'))
  await give(gifted, amountOf('5'), true)
  await give(debtor, amountOf('0.5'))
  await give(own, amountOf('5'))
  await app.deps.db.query.updateTable('users').set({ referrer_id: own }).where('id', '=', own).execute()
  await Promise.all([call(alias, 1_000_000), call(gifted, 1_000_000), call(debtor, 1_200_000), call(own, 1_000_000)])
  await look()
  expect(await commissions()).toMatchObject([{ referred_user_id: debtor, base_cost: amountOf('0.5'), amount: amountOf('0.05') }])
  expect(sameMailbox('x@a.test', 'x@b.test')).toBe(false)
  expect(paidPart({ amount: money(-10n), gifted: money(-4n), balance_after: ZERO })).toBe(money(6n))
})

test('one invited user earns no more than the cap, a rate of 1 is refused, and nothing is earned while it is off', async () => {
  await app.api('PUT', '/api/settings', { referral_commission_cap: '0.15', referral_hold_days: '0' })
  expect((await app.api('PUT', '/api/settings', { referral_commission_rate: '1' })).status).toBe(400)
  const [inviter = 0] = await crowd(app, ['inviter@example.test'])
  const [guest = 0] = await crowd(app, ['guest@example.test'], inviter)
  await give(guest, amountOf('10'))
  for (let calls = 0; calls < 3; calls += 1) await call(guest, 1_000_000)
  await look()
  expect((await commissions()).map(({ amount }) => formatMoney(amount))).toEqual(['0.1', '0.05'])
  await creditDueCommissions(app.deps)
  expect((await accountOf(app.deps, inviter)).balance).toBe(amountOf('0.15'))
  await app.api('PUT', '/api/settings', { referral_enabled: false, referral_commission_cap: '100' })
  await call(guest, 1_000_000)
  await look()
  await app.api('PUT', '/api/settings', { referral_enabled: true })
  await look()
  expect(await commissions()).toHaveLength(2)
})

test('10,000 random steps of 1,000 farmed accounts mint nothing: commissions stay within rate x paid usage', async () => {
  await app.api('PUT', '/api/settings', { referral_hold_days: '1' })
  let seed = 20261122
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  const people: number[] = []
  while (people.length < 1_000) {
    const inviter = people[random(Math.max(people.length, 1))] ?? null
    people.push(...(await crowd(app, addresses(10, `farm${people.length}-`), inviter)))
  }
  // The model: what each account has of either kind; gifts go first, debt is nobody's payment.
  const purse = new Map(people.map((id) => [id, { paid: 0n, gift: 0n }]))
  const usage = new Map<number, bigint>()
  for (let steps = 0, round = 0; steps < 10_000; round += 1) {
    const batch = new Set(Array.from({ length: 500 }, () => people[random(people.length)] ?? 0))
    steps += batch.size
    const acts = [...batch].map(async (id) => {
      const mine = purse.get(id) ?? { paid: 0n, gift: 0n }
      const dice = random(10)
      const amount = BigInt(1 + random(50_000)) * 10_000n
      if (dice < 2) {
        mine.paid += amount
        return give(id, money(amount))
      }
      if (dice < 4) {
        mine.gift += amount
        return give(id, money(amount), true)
      }
      const cost = BigInt(1 + random(20_000)) * 10_000n
      if (mine.paid + mine.gift < cost) return
      const fromGift = mine.gift < cost ? mine.gift : cost
      mine.gift -= fromGift
      mine.paid -= cost - fromGift
      usage.set(id, (usage.get(id) ?? 0n) + cost - fromGift)
      await call(id, Number(cost / 10_000n))
    })
    await Promise.all(acts)
    if (round % 4 === 3) {
      await look()
      app.clock.advance(DAY / 2)
      for (const { referrer_id: id, amount } of await dueNow()) (purse.get(id) ?? { gift: 0n }).gift += amount
      await creditDueCommissions(app.deps)
    }
  }
  await look()
  const rows = await commissions()
  expect(rows.length).toBeGreaterThan(500)
  expect(new Set(rows.map(({ token_log_id: id }) => id)).size).toBe(rows.length)
  for (const [id, paid] of usage) {
    const own = rows.filter(({ referred_user_id: referred }) => referred === id)
    const earned = own.reduce((sum, { amount }) => sum + amount, 0n)
    expect(earned <= paid / 10n).toBe(true)
    if (own.length > 0) expect(own.reduce((sum, { base_cost: base }) => sum + base, 0n)).toBe(paid)
  }
  expect((await checkBooks(app.database)).differences).toEqual([])
}, 120_000)

const dueNow = async () => (await commissions()).filter(({ credited_at: at, due_at: due }) => at === null && due <= app.clock.now())
