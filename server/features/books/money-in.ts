import type { Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import {
  checkInCredits,
  codeCounts,
  commissionEntries,
  oddCommissions,
  orderCredits,
  orderRefunds,
  redemptionCredits,
  type Pair,
} from './money-in/store.ts'

/** Tells of a place where the books do not agree. */
export type Differ = (what: string, id: string | number, expected: Money | string, found: Money | string) => void

const pairs: readonly [string, (db: Database['query']) => Promise<Pair[]>][] = [
  ['credit of order', orderCredits],
  ['refund of order', orderRefunds],
  ['reward of check-in', checkInCredits],
  ['credit of redeem code', redemptionCredits],
  ['commission of call', commissionEntries],
]

/**
 * Everything but calls that moves money: each order, refund, check-in, redemption and commission that says it was booked has
 * exactly its entry, and no such entry is without one.
 */
export async function checkMoneyIn(db: Database['query'], differ: Differ): Promise<void> {
  for (const [what, find] of pairs)
    for (const { reference, expected, found } of await find(db)) differ(what, reference, expected ?? 'none', found ?? 'none')
  for (const { id, counted, found } of await codeCounts(db)) differ('uses of redeem code', id, String(counted), String(found))
  for (const { id, total_amount: taken, clawed_back: found } of await oddCommissions(db))
    differ('taken back of commission', id, taken, found)
}
