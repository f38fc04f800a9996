import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { Schema } from '../../../../db/schema.ts'
import { prepare } from '../../../../db/statement.ts'
import { accountColumns, entryColumns, holdColumns, keyColumns, lockedAccountColumns, lockedKeyColumns, logColumns } from '../../columns.ts'
import type { LockedAccount, LockedKey } from '../decide.ts'
import type { BookRows, TakenHold } from '../rows.ts'

interface Rows {
  rows: string
}

/** Rows as one JSON parameter; money as text, which PostgreSQL reads as the integer it is. */
function jsonOf(rows: readonly object[]): string {
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
}

function listOf(names: readonly string[]): RawBuilder<unknown> {
  return sql.join(names.map((name) => sql.ref(name)))
}

/** One statement for many rows of a table. */
function insertRows(query: Kysely<Schema>, table: 'holds' | 'logs' | 'ledger_entries', names: readonly string[]) {
  return prepare<Rows>(query, (p, q) => ({
    compile: () =>
      sql`insert into ${sql.table(table)} (${listOf(names)})
        select ${listOf(names)} from json_populate_recordset(null::${sql.table(table)}, ${p.rows}::json)`.compile(q),
  }))
}

function updateRows(query: Kysely<Schema>, table: 'accounts' | 'api_keys', names: readonly string[]) {
  const set = sql.join(names.map((name) => sql`${sql.ref(name)} = v.${sql.ref(name)}`))
  return prepare<Rows>(query, (p, q) => ({
    compile: () =>
      sql`update ${sql.table(table)} set ${set}
        from json_populate_recordset(null::${sql.table(table)}, ${p.rows}::json) as v
        where ${sql.table(table)}.id = v.id`.compile(q),
  }))
}

function statementsOf(query: Kysely<Schema>) {
  const lock = (table: 'accounts' | 'api_keys', names: readonly string[]) =>
    prepare<{ ids: readonly number[] }>(query, (p, q) => ({
      compile: () =>
        sql`select ${listOf(names)} from ${sql.table(table)} where id = any(${p.ids}::bigint[]) order by id for no key update`.compile(q),
    }))
  return {
    takeHolds: prepare<{ ids: readonly string[] }>(query, (p, q) => ({
      compile: () => sql`delete from holds where id = any(${p.ids}::text[]) returning id, amount, api_key_id`.compile(q),
    })),
    growHolds: prepare<Rows>(query, (p, q) => ({
      compile: () =>
        sql`update holds set amount = holds.amount + v.amount from json_populate_recordset(null::holds, ${p.rows}::json) as v
          where holds.id = v.id returning holds.id`.compile(q),
    })),
    lockAccounts: lock('accounts', lockedAccountColumns),
    lockKeys: lock('api_keys', lockedKeyColumns),
    updateAccounts: updateRows(query, 'accounts', [...accountColumns, 'updated_at']),
    updateKeys: updateRows(query, 'api_keys', keyColumns),
    insertHolds: insertRows(query, 'holds', holdColumns),
    insertEntries: insertRows(query, 'ledger_entries', entryColumns),
    insertLogs: insertRows(query, 'logs', logColumns),
  }
}

/** On PostgreSQL, where each statement costs a round trip: one for all rows of a table. */
export function postgresRows(query: Kysely<Schema>): BookRows {
  const s = statementsOf(query)
  return {
    takeHolds: async (tx, ids) => (await tx.all(s.takeHolds, { ids })) as unknown as TakenHold[],
    growHolds: async (tx, grown) => (await tx.all(s.growHolds, { rows: jsonOf(grown) })).map(({ id }) => id as string),
    lockAccounts: async (tx, ids) => (await tx.all(s.lockAccounts, { ids })) as unknown as LockedAccount[],
    lockKeys: async (tx, ids) => (await tx.all(s.lockKeys, { ids })) as unknown as LockedKey[],
    async write(tx, { accounts, keys, holds, entries, logs, now }) {
      await tx.run(s.updateAccounts, { rows: jsonOf([...accounts].map((account) => ({ ...account, updated_at: now }))) })
      if (keys.size > 0) await tx.run(s.updateKeys, { rows: jsonOf([...keys]) })
      if (holds.length > 0) await tx.run(s.insertHolds, { rows: jsonOf(holds) })
      if (entries.length > 0) await tx.run(s.insertEntries, { rows: jsonOf(entries) })
      if (logs.length > 0) await tx.run(s.insertLogs, { rows: jsonOf(logs) })
    },
  }
}
