import type { Insertable, Kysely } from 'kysely'
import type { Schema } from '../../../../db/schema.ts'
import { pick, prepare } from '../../../../db/statement.ts'
import { accountColumns, entryColumns, keyColumns, lockedAccountColumns, lockedKeyColumns } from '../../columns.ts'
import { rowStatements } from '../../store.ts'
import type { LockedAccount, LockedKey } from '../decide.ts'
import type { BookRows, TakenHold } from '../rows.ts'

function statementsOf(query: Kysely<Schema>) {
  return {
    ...rowStatements(query),
    takeHold: prepare<{ id: string }>(query, (p, q) =>
      q.deleteFrom('holds').where('id', '=', p.id).returning(['id', 'amount', 'api_key_id']),
    ),
    account: prepare<{ id: number }>(query, (p, q) => q.selectFrom('accounts').select(lockedAccountColumns).where('id', '=', p.id)),
    key: prepare<{ id: number }>(query, (p, q) => q.selectFrom('api_keys').select(lockedKeyColumns).where('id', '=', p.id)),
    updateAccount: prepare<LockedAccount & { now: number }>(query, (p, q) =>
      q
        .updateTable('accounts')
        .set({ ...pick(p, accountColumns), updated_at: p.now })
        .where('id', '=', p.id),
    ),
    updateKey: prepare<LockedKey>(query, (p, q) => q.updateTable('api_keys').set(pick(p, keyColumns)).where('id', '=', p.id)),
    insertEntry: prepare<Insertable<Schema['ledger_entries']>>(query, (p, q) =>
      q.insertInto('ledger_entries').values(pick(p, entryColumns)),
    ),
  }
}

/** On SQLite: a prepared statement for each row. The writer's transaction has the only write lock, so reading locks. */
export function sqliteRows(query: Kysely<Schema>): BookRows {
  const s = statementsOf(query)
  return {
    takeHolds(tx, ids) {
      const taken: TakenHold[] = []
      for (const id of ids) {
        const row = atOnce(tx.first(s.takeHold, { id }))
        if (row) taken.push(row as unknown as TakenHold)
      }
      return taken
    },
    growHolds: (tx, grown) => grown.flatMap(({ id, amount }) => (atOnce(tx.run(s.growHold, { id, amount })) === 1 ? [id] : [])),
    lockAccounts: (tx, ids) => ids.flatMap((id) => (atOnce(tx.first(s.account, { id })) as LockedAccount | undefined) ?? []),
    lockKeys: (tx, ids) => ids.flatMap((id) => (atOnce(tx.first(s.key, { id })) as LockedKey | undefined) ?? []),
    write(tx, { accounts, keys, holds, entries, logs, now }) {
      for (const account of accounts) atOnce(tx.run(s.updateAccount, { ...account, now }))
      for (const key of keys) atOnce(tx.run(s.updateKey, key))
      for (const row of holds) atOnce(tx.run(s.insertHold, row))
      for (const row of entries) atOnce(tx.run(s.insertEntry, row))
      for (const row of logs) atOnce(tx.run(s.insertLog, row))
    },
  }
}

/** SQLite answers in the same turn: nothing is waited for between two statements. */
function atOnce<T>(answer: T | Promise<T>): T {
  if (answer instanceof Promise) throw new TypeError('SQLite answers at once')
  return answer
}
