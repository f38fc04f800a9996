import { money, mulDiv, ZERO, type Money } from '../../../contract/money.ts'
import type { Deps } from '../../http/deps.ts'
import { accountOf, credit } from '../billing/service.ts'
import { oneAtATime } from '../settings/service.ts'
import {
  addClawedBack,
  bookedClawback,
  hasClawbacks,
  insertClawback,
  markClawbackBooked,
  selectOpenClawbacks,
  selectStandingCommissions,
  type CommissionRow,
} from './store.ts'

/** Commissions looked at in one step, newest first; the loop goes on until the money is covered. */
const STEP = 500
/** Clawbacks booked in one run. */
const BATCH = 500

/**
 * How much of a commission goes when `base` of the usage behind it was not paid after all: all of it, or a share rounded
 * up, so that what stays is never more than the rate of what was paid.
 */
export function shareOf({ amount, base_cost: baseCost, clawed_back: gone }: ClawRow, base: Money): { amount: Money; base: Money } {
  const left = money(amount - gone)
  const leftBase = money(mulDiv(baseCost, left, amount, 'down'))
  if (leftBase <= base) return { amount: left, base: leftBase }
  return { amount: money(mulDiv(left, base, leftBase, 'up')), base }
}
type ClawRow = Pick<CommissionRow, 'amount' | 'base_cost' | 'clawed_back'>

/**
 * Writes down, once per order, which commissions are taken back because `base` of a user's usage was paid with money that
 * went back: the newest first, because what was spent last was spent of that. `bookClawbacks` takes the money.
 */
export async function clawBack(
  deps: Pick<Deps, 'db' | 'clock'>,
  { userId, base, orderNo }: { userId: number; base: Money; orderNo: string },
): Promise<void> {
  const now = deps.clock.now()
  await deps.db.query.transaction().execute(async (tx) => {
    await oneAtATime(tx, now)
    if (await hasClawbacks(tx, orderNo)) return
    let open = base
    for (let before: number | undefined; open > 0n;) {
      const rows = await selectStandingCommissions(tx, userId, before, STEP)
      for (const row of rows) {
        if (open <= 0n) break
        const share = shareOf(row, open)
        open = money(open - share.base)
        await addClawedBack(tx, row.id, share.amount)
        await insertClawback(tx, {
          order_no: orderNo,
          commission_id: row.id,
          referrer_id: row.referrer_id,
          amount: share.amount,
          collected: ZERO,
          created_at: now,
          booked_at: null,
        })
      }
      before = rows.at(-1)?.id
      if (before === undefined) return
    }
  })
}

/**
 * Takes commissions back that were credited, each once by its reference: what the referrer's balance has of it; the rest is
 * written off in the row. One that is still held is credited and taken back when it falls due.
 */
export async function bookClawbacks(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  for (const row of await selectOpenClawbacks(deps.db.query, BATCH)) {
    const reference = `${row.order_no}:${row.commission_id}`
    // A crash may have come between booking and mark: what was booked then is what counts.
    const collected = (await bookedClawback(deps.db.query, reference)) ?? (await collect(deps, row, reference))
    await markClawbackBooked(deps.db.query, row.id, collected, deps.clock.now())
  }
}

async function collect(deps: Pick<Deps, 'db' | 'clock'>, row: { referrer_id: number; amount: Money }, reference: string): Promise<Money> {
  const account = await accountOf(deps, row.referrer_id)
  const free = account.balance - account.held
  const amount = money(free < row.amount ? (free > 0n ? free : 0n) : row.amount)
  if (amount === 0n) return ZERO
  const reason = 'the payment behind it was charged back'
  await credit(deps, { accountId: account.id, kind: 'commission', reference, amount: money(-amount), gifted: money(-amount), reason })
  return amount
}
