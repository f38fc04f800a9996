import { ZERO, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import { archivedByAccount } from '../logs/archive.ts'
import type { Differ } from './money-in.ts'
import { callsWithoutEntry, entriesWithoutCall, referencesWithoutCall } from './store.ts'

interface Charged {
  charged: number
  total_cost: Money
}

const NOTHING: Charged = { charged: 0, total_cost: ZERO }

/**
 * Each call that cost something has its ledger entry, and each entry its call; of calls that left the log, number and sum of the entries
 * of each account are what was kept of them.
 */
export async function checkCalls(db: Database['query'], differ: Differ): Promise<void> {
  for (const id of await callsWithoutEntry(db)) differ('ledger entry of call', id, 'one of the same amount', 'none')
  const archived = byAccount(await archivedByAccount(db))
  const found = byAccount(await entriesWithoutCall(db))
  for (const id of new Set([...archived.keys(), ...found.keys()])) {
    const expected = archived.get(id) ?? NOTHING
    const there = found.get(id) ?? NOTHING
    if (expected.charged === 0)
      for (const reference of await referencesWithoutCall(db, id)) differ('call of ledger entry', reference, 'a log row', 'none')
    else {
      if (expected.charged !== there.charged)
        differ('entries of calls that left the log, of account', id, String(expected.charged), String(there.charged))
      if (expected.total_cost !== there.total_cost)
        differ('charges of calls that left the log, of account', id, expected.total_cost, there.total_cost)
    }
  }
}

function byAccount(rows: readonly (Charged & { account_id: number })[]): Map<number, Charged> {
  return new Map(rows.map((row) => [row.account_id, row]))
}
