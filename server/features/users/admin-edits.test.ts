import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../../test/app.ts'
import { charge } from '../../../test/charge.ts'
import { money, MONEY_ONE, parseMoney, ZERO, type Money } from '../../../contract/money.ts'
import { accountOf, credit } from '../billing/service.ts'
import { checkBooks } from '../books/service.ts'

/** promises.md M11. */
const ROUNDS = 1_000
const PARALLEL = 20

let app: TestApp
let userId = 0

beforeAll(async () => {
  app = await createTestApp()
  ;({ id: userId } = await app.user('buyer'))
})
afterAll(() => app.close())

test(`M11: ${ROUNDS} forms saved among charges and top-ups lose nothing: the ledger explains the balance, with who did it`, async () => {
  const { id: accountId } = await accountOf(app.deps, userId)
  const topUp = (index: number) =>
    credit(app.deps, { accountId, kind: 'recharge', reference: `order-${index}`, amount: money(2n * MONEY_ONE) })
  for (let index = 0; index < 10; index += 1) await topUp(-index - 1)
  let saved = 0
  let refused = 0
  let next = 0
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (next < ROUNDS) {
        const index = next++
        // The form is loaded, something else happens, the form is saved: with the balance it showed.
        const shown = await accountOf(app.deps, userId)
        const form = { balance: text(money(shown.balance + MONEY_ONE)), expected_balance: text(shown.balance), reason: `form ${index}` }
        const [edit] = await Promise.all([
          // Every other one is the form of an adjustment: a delta, which no change in between can spoil.
          index % 2 === 0
            ? app.api('PUT', `/api/users/${userId}`, form)
            : app.api('POST', `/api/users/${userId}/adjustments`, { amount: '1', reason: `form ${index}` }),
          index % 3 === 0 ? charge(app, userId, { usage: { input: 1_000_000 } }) : undefined,
          index % 3 === 1 ? topUp(index) : undefined,
        ])
        if (edit.status === 200) saved += 1
        else {
          expect(edit.status).toBe(409)
          refused += 1
        }
      }
    }),
  )
  const entries = await app.deps.db.query
    .selectFrom('ledger_entries')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('id')
    .execute()
  const of = (kind: string) => entries.filter((entry) => entry.kind === kind)
  // Nothing else that happened is lost, each form moved the balance by what its admin meant or not at all.
  expect(of('usage')).toHaveLength(Math.ceil(ROUNDS / 3))
  expect(of('recharge')).toHaveLength(Math.ceil((ROUNDS - 1) / 3) + 10)
  expect(of('adjustment')).toHaveLength(saved)
  for (const entry of of('adjustment')) {
    expect(entry.amount).toBe(money(MONEY_ONE))
    expect(entry.actor_user_id).not.toBeNull()
    expect(entry.reason).toStartWith('form ')
  }
  expect(saved).toBeGreaterThanOrEqual(ROUNDS / 2)
  expect(refused).toBeGreaterThan(0)
  const { balance } = await accountOf(app.deps, userId)
  expect(balance).toBe(entries.reduce<bigint>((sum, entry) => sum + entry.amount, 0n) as Money)
  expect((await checkBooks(app.database)).differences).toEqual([])
}, 60_000)

function text(amount: Money): string {
  const whole = amount / MONEY_ONE
  const back = parseMoney(String(whole)) ?? ZERO
  // All amounts here are whole units.
  expect(back).toBe(amount)
  return String(whole)
}
