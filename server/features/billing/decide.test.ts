import { describe, expect, test } from 'bun:test'
import { EMPTY_USAGE } from '../../../contract/meters.ts'
import { money, ZERO } from '../../../contract/money.ts'
import { callFacts } from '../../../test/call-facts.ts'
import { calendarOf, isEve, monthOf } from './calendar.ts'
import { draftOf, NOTHING_USED } from './draft.ts'
import {
  countOnKey,
  decideCharge,
  decideHold,
  decideRaise,
  spentIn,
  spentOn,
  undoRaise,
  type LockedAccount,
  type LockedKey,
} from './sets/decide.ts'
import { NOW, one } from './test-kit.ts'

/* What is decided over one account and one key, at its borders. */

const TODAY = 20_261_122
const budgets = { budget_daily: null, budget_monthly: null, budget_day: TODAY, spent_day: ZERO, spent_month: ZERO }
const anAccount = (change: Partial<LockedAccount> = {}): LockedAccount => ({
  ...budgets,
  id: 1,
  balance: one(10),
  held: ZERO,
  gifted: ZERO,
  debt_limit: one(1),
  spent: ZERO,
  request_count: 0,
  ...change,
})
const aKey = (change: Partial<LockedKey> = {}): LockedKey => ({
  ...budgets,
  id: 2,
  quota_limit: ZERO,
  quota_used: ZERO,
  quota_held: ZERO,
  total_cost: ZERO,
  request_count: 0,
  input_tokens: 0,
  output_tokens: 0,
  cached_input_tokens: 0,
  last_used_at: null,
  ...change,
})
const hold = (amount: number, account: LockedAccount, key?: LockedKey) => {
  const op = { requestId: 'r', accountId: 1, quotaKeyId: key ? 2 : null, amount: one(amount), now: NOW, day: TODAY }
  const result = decideHold({ ...op, deadlineAt: NOW, instance: '', context: '' }, account, key)
  return result.ok ? result.amount : result.why
}
const raise = (amount: number, account: LockedAccount, key?: LockedKey) => {
  const op = { requestId: 'r', accountId: 1, quotaKeyId: key ? 2 : null, amount: one(amount), now: NOW, day: TODAY }
  return { op, done: decideRaise(op, account, key) }
}

describe('a hold', () => {
  test('may take all that is free of a balance, a quota and both budgets, and not one more', () => {
    expect(hold(6, anAccount({ held: one(4) }))).toBe(one(6))
    expect(hold(7, anAccount({ held: one(4) }))).toBe('insufficient_balance')
    expect(hold(2, anAccount(), aKey({ quota_limit: one(5), quota_used: one(2), quota_held: one(1) }))).toBe(one(2))
    expect(hold(3, anAccount(), aKey({ quota_limit: one(5), quota_used: one(2), quota_held: one(1) }))).toBe('key_quota_exceeded')
    for (const budget of ['budget_daily', 'budget_monthly'] as const) {
      const of = { [budget]: one(5), spent_day: one(2), spent_month: one(2) }
      expect(hold(2, anAccount({ ...of, held: one(1) }))).toBe(one(2))
      expect(hold(3, anAccount({ ...of, held: one(1) }))).toBe('user_budget_exceeded')
      expect(hold(2, anAccount(), aKey({ ...of, quota_held: one(1) }))).toBe(one(2))
      expect(hold(3, anAccount(), aKey({ ...of, quota_held: one(1) }))).toBe('key_budget_exceeded')
    }
  })

  test('takes the last of a balance or quota where at most a tenth of it is missing, nothing is held, and the budget has room', () => {
    expect(hold(10, anAccount({ balance: one(9) }))).toBe(one(9))
    expect(hold(10, anAccount({ balance: money(one(9) - 1n) }))).toBe('insufficient_balance')
    expect(hold(10, anAccount({ balance: one(9), budget_daily: one(9) }))).toBe(one(9))
    expect(hold(10, anAccount({ balance: one(9), budget_daily: money(one(9) - 1n) }))).toBe('insufficient_balance')
    expect(hold(0, anAccount({ balance: ZERO }))).toBe(ZERO)
    expect(hold(10, anAccount(), aKey({ quota_limit: one(12), quota_used: one(3) }))).toBe(one(9))
    expect(hold(10, anAccount(), aKey({ quota_limit: one(12), quota_used: one(4) }))).toBe('key_quota_exceeded')
    expect(hold(10, anAccount(), aKey({ quota_limit: one(9), budget_daily: one(9) }))).toBe(one(9))
    expect(hold(10, anAccount(), aKey({ quota_limit: one(9), budget_daily: one(8) }))).toBe('key_quota_exceeded')
    expect(hold(1, anAccount(), aKey({ quota_limit: one(3), quota_used: one(3) }))).toBe('key_quota_exceeded')
  })

  test('tells a debt from a balance that is too small', () => {
    expect(hold(1, anAccount({ balance: ZERO }))).toBe('insufficient_balance')
    expect(hold(1, anAccount({ balance: money(-1n) }))).toBe('account_in_debt')
  })

  test('is the same on both: what is refused on one moves neither, and the smaller of two last parts is held on both', () => {
    const [account, key] = [anAccount(), aKey({ quota_limit: one(1) })]
    expect(hold(5, account, key)).toBe('key_quota_exceeded')
    expect([account.held, key.quota_held]).toEqual([ZERO, ZERO])
    const less = [anAccount({ balance: one(9) }), aKey({ quota_limit: one(100) })] as const
    expect(hold(10, ...less)).toBe(one(9))
    expect([less[0].held, less[1].quota_held]).toEqual([one(9), one(9)])
    const least = [anAccount(), aKey({ quota_limit: one(9) })] as const
    expect(hold(10, ...least)).toBe(one(9))
    expect([least[0].held, least[1].quota_held]).toEqual([one(9), one(9)])
  })
})

describe('a raise', () => {
  test('may take all that is free, and nothing of it where one of both has not so much', () => {
    const full = [anAccount({ held: one(4) }), aKey({ quota_limit: one(9), quota_held: one(3) })] as const
    const { op, done } = raise(6, ...full)
    expect([done, full[0].held, full[1].quota_held]).toEqual([true, one(10), one(9)])
    undoRaise(op, ...full)
    expect([full[0].held, full[1].quota_held]).toEqual([one(4), one(3)])
    expect(raise(7, anAccount({ held: one(4) })).done).toBe(false)
    for (const budget of ['budget_daily', 'budget_monthly'] as const) {
      expect(raise(2, anAccount({ [budget]: one(3), held: one(1) })).done).toBe(true)
      expect(raise(3, anAccount({ [budget]: one(3), held: one(1) })).done).toBe(false)
      const refused = [anAccount(), aKey({ [budget]: one(3), quota_held: one(1) })] as const
      expect(raise(2, anAccount(), aKey({ [budget]: one(3), quota_held: one(1) })).done).toBe(true)
      expect(raise(3, ...refused).done).toBe(false)
      expect([refused[0].held, refused[1].quota_held]).toEqual([ZERO, one(1)])
    }
  })
})

describe('a charge', () => {
  const facts = callFacts({ requestId: 'r', userId: 7, accountId: 1, createdAt: NOW })
  const usage = { ...EMPTY_USAGE, input: 7, output: 5, cachedInput: 3 }
  const result = { ...NOTHING_USED, usage, status: 200, endReason: 'complete', chargeNote: '', losses: [], attempts: [] } as const
  const log = draftOf(facts, undefined, { ...result, error: '', firstResponseMs: 1, responseMs: 1 }, one(4))
  const op = { requestId: 'r', accountId: 1, apiKeyId: 2, cost: one(4), now: NOW, day: TODAY, log }

  test('takes the cost, gifts first, and frees the hold', () => {
    const account = anAccount({ held: one(6), gifted: one(3), spent: one(1), request_count: 1, spent_day: one(1), spent_month: one(2) })
    expect(decideCharge(op, one(5), account)).toEqual({ charged: one(4), gifted: one(3) })
    expect(account).toMatchObject({ balance: one(6), held: one(1), gifted: ZERO, spent: one(5), request_count: 2 })
    expect(account).toMatchObject({ budget_day: TODAY, spent_day: one(5), spent_month: one(6) })
    const rich = anAccount({ gifted: one(9) })
    expect(decideCharge(op, ZERO, rich)).toEqual({ charged: one(4), gifted: one(4) })
    expect(rich.gifted).toBe(one(5))
  })

  test('goes into debt to the limit and no further', () => {
    const account = anAccount({ balance: one(3) })
    expect(decideCharge(op, ZERO, account).charged).toBe(one(4))
    const poor = anAccount({ balance: one(2) })
    expect(decideCharge(op, ZERO, poor).charged).toBe(one(3))
    expect([account.balance, poor.balance]).toEqual([one(-1), one(-1)])
  })

  test('is counted on the key: money, tokens, calls and when', () => {
    const key = aKey({ quota_held: one(6), quota_used: one(1), total_cost: one(1), request_count: 1, input_tokens: 1, output_tokens: 1 })
    countOnKey(op, one(5), one(4), key)
    expect(key).toMatchObject({ quota_held: one(1), quota_used: one(5), total_cost: one(5), request_count: 2, last_used_at: NOW })
    expect(key).toMatchObject({ input_tokens: 11, output_tokens: 6, cached_input_tokens: 3, spent_day: one(4), spent_month: one(4) })
  })

  test('on another day begins that day anew, in another month the month; what is booked late stays on the newer day', () => {
    const of = (budgetDay: number, day: number) => {
      const account = anAccount({ budget_day: budgetDay, spent_day: one(1), spent_month: one(2) })
      decideCharge({ ...op, day }, ZERO, account)
      return [account.budget_day, account.spent_day, account.spent_month]
    }
    expect(of(20_261_121, 20_261_122)).toEqual([20_261_122, one(4), one(6)])
    expect(of(20_261_130, 20_261_201)).toEqual([20_261_201, one(4), one(4)])
    expect(of(20_261_122, 20_261_121)).toEqual([20_261_122, one(5), one(6)])
    expect(of(20_261_201, 20_261_130)).toEqual([20_261_201, one(5), one(6)])
    // More than a day back: the clock was set, and its day counts.
    expect(of(20_261_122, 20_261_120)).toEqual([20_261_120, one(4), one(6)])
  })
})

test('days: the eve of a day is the one before it, over months and years too', () => {
  expect([isEve(20_261_121, 20_261_122), isEve(20_261_031, 20_261_101), isEve(20_261_231, 20_270_101)]).toEqual([true, true, true])
  expect([isEve(20_280_229, 20_280_301), isEve(20_270_228, 20_270_301)]).toEqual([true, true])
  expect([isEve(TODAY, TODAY), isEve(20_261_123, TODAY), isEve(20_261_120, TODAY), isEve(20_251_122, TODAY)]).toEqual([
    false,
    false,
    false,
    false,
  ])
  expect([
    monthOf(TODAY),
    spentOn({ ...budgets, spent_day: one(1) }, TODAY),
    spentOn({ ...budgets, spent_day: one(1) }, TODAY + 1),
  ]).toEqual([202_611, one(1), ZERO])
  expect([spentIn({ ...budgets, spent_month: one(1) }, 20_261_101), spentIn({ ...budgets, spent_month: one(1) }, 20_261_201)]).toEqual([
    one(1),
    ZERO,
  ])
})

test('a day is told anew each quarter of an hour and at each change of the zone', () => {
  let zone = 'Asia/Kathmandu'
  const dayOf = calendarOf(() => zone)
  const midnight = Date.UTC(2026, 10, 22, 18, 15)
  expect([dayOf(midnight - 1), dayOf(midnight), dayOf(midnight - 1)]).toEqual([20_261_122, 20_261_123, 20_261_122])
  zone = 'Pacific/Kiritimati'
  expect(dayOf(midnight - 1)).toBe(20_261_123)
  zone = 'no such place'
  expect(dayOf(Date.UTC(2026, 11, 31, 23, 59))).toBe(20_261_231)
})
