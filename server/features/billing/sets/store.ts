import { sql, type Kysely, type RawBuilder } from 'kysely'
import { money, ZERO, type Money } from '../../../../contract/money.ts'
import type { Database } from '../../../db/open.ts'
import type { Schema } from '../../../db/schema.ts'
import { prepare } from '../../../db/statement.ts'
import type { BatchTransaction, OperationSet } from '../../../db/writer.ts'
import type { HoldOperation, HoldResult, SettleOperation, SettleResult } from '../operations.ts'
import { entryColumns, logColumns } from '../statements/store.ts'
import { rowOfCharge, rowOfHold, rowOfLog } from '../rows.ts'
import { countOnKey, decideCharge, decideHold, type LockedAccount, type LockedKey } from './decide.ts'

/** What is run as a set: everything a call does to the books. */
export type SetInput = { type: 'hold'; op: HoldOperation } | { type: 'settle'; op: SettleOperation }

interface Rows {
  rows: string
}

/** Rows as one JSON parameter; money as text, which PostgreSQL reads as the integer it is. */
function jsonOf(rows: readonly object[]): string {
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
}

const accountColumns = ['balance', 'held', 'gifted', 'spent', 'request_count', 'budget_day', 'spent_day', 'spent_month'] as const
const keyColumns = [
  'quota_held',
  'quota_used',
  'total_cost',
  'request_count',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'last_used_at',
  'budget_day',
  'spent_day',
  'spent_month',
] as const
const holdColumns = ['id', 'account_id', 'api_key_id', 'instance', 'amount', 'created_at', 'deadline_at', 'context'] as const

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
      sql`update ${sql.table(table)} set ${set}, updated_at = v.updated_at
        from json_populate_recordset(null::${sql.table(table)}, ${p.rows}::json) as v
        where ${sql.table(table)}.id = v.id`.compile(q),
  }))
}

function statementsOf({ query }: Database) {
  const lock = (table: 'accounts' | 'api_keys') =>
    prepare<{ ids: readonly number[] }>(query, (p, q) => ({
      compile: () => sql`select * from ${sql.table(table)} where id = any(${p.ids}::bigint[]) order by id for no key update`.compile(q),
    }))
  return {
    takeHolds: prepare<{ ids: readonly string[] }>(query, (p, q) => ({
      compile: () => sql`delete from holds where id = any(${p.ids}::text[]) returning id, amount, api_key_id`.compile(q),
    })),
    lockAccounts: lock('accounts'),
    lockKeys: lock('api_keys'),
    updateAccounts: updateRows(query, 'accounts', accountColumns),
    updateKeys: updateRows(query, 'api_keys', keyColumns),
    insertHolds: insertRows(query, 'holds', holdColumns),
    insertEntries: insertRows(query, 'ledger_entries', entryColumns),
    insertLogs: insertRows(query, 'logs', logColumns),
  }
}

/**
 * Everything that waits, in at most eight statements: the rows that are moved are locked in the order of their ids (accounts, then
 * keys; no two processes can wait for each other), decided in memory, and written back as sets. For PostgreSQL, where each
 * statement costs a round trip; the rules are those of ../store.ts, and both pass the same tests.
 */
export class LedgerSets implements OperationSet<SetInput, HoldResult | SettleResult> {
  readonly #statements: ReturnType<typeof statementsOf>

  constructor(db: Database) {
    this.#statements = statementsOf(db)
  }

  async runAll(tx: BatchTransaction, inputs: readonly SetInput[]): Promise<(HoldResult | SettleResult)[]> {
    const s = this.#statements
    const settles = inputs.flatMap((input) => (input.type === 'settle' ? [input.op.requestId] : []))
    const taken = new Map<string, { amount: Money; api_key_id: number | null }>()
    if (settles.length > 0)
      for (const row of await tx.all(s.takeHolds, { ids: settles }))
        taken.set(row['id'] as string, row as { amount: Money; api_key_id: number | null })
    const accounts = byId<LockedAccount>(await tx.all(s.lockAccounts, { ids: idsOf(inputs, ({ op }) => op.accountId) }))
    const keyIds = idsOf(inputs, (input) => (input.type === 'hold' ? input.op.quotaKeyId : input.op.apiKeyId))
    const keys = byId<LockedKey>(keyIds.length === 0 ? [] : await tx.all(s.lockKeys, { ids: keyIds }))

    const write: Record<'holds' | 'entries' | 'logs', object[]> = { holds: [], entries: [], logs: [] }
    const results: (HoldResult | SettleResult)[] = Array.from({ length: inputs.length })
    // Settlements first: what they free may be held again.
    inputs.forEach((input, index) => {
      if (input.type === 'settle') results[index] = settle(input.op, taken, accounts, keys, write)
    })
    inputs.forEach((input, index) => {
      if (input.type !== 'hold') return
      const { op } = input
      const result = decideHold(op, accounts.get(op.accountId), op.quotaKeyId === null ? undefined : keys.get(op.quotaKeyId))
      if (result.ok) write.holds.push(rowOfHold(op, result.amount))
      results[index] = result
    })

    const now = Math.max(...inputs.map(({ op }) => op.now))
    const changed = write.holds.length > 0 || write.logs.length > 0
    if (changed) await tx.run(s.updateAccounts, { rows: jsonOf(rowsOf(accounts, accountColumns, now)) })
    if (changed && keys.size > 0) await tx.run(s.updateKeys, { rows: jsonOf(rowsOf(keys, keyColumns, now)) })
    if (write.holds.length > 0) await tx.run(s.insertHolds, { rows: jsonOf(write.holds) })
    if (write.entries.length > 0) await tx.run(s.insertEntries, { rows: jsonOf(write.entries) })
    if (write.logs.length > 0) await tx.run(s.insertLogs, { rows: jsonOf(write.logs) })
    return results
  }
}

function settle(
  op: SettleOperation,
  taken: Map<string, { amount: Money; api_key_id: number | null }>,
  accounts: Map<number, LockedAccount>,
  keys: Map<number, LockedKey>,
  write: Record<'entries' | 'logs', object[]>,
): SettleResult {
  const hold = taken.get(op.requestId)
  if (!hold) return { settled: false, charged: ZERO, balance: ZERO }
  // A second settlement of the same call in this batch finds nothing, as in the next one.
  taken.delete(op.requestId)
  const account = accounts.get(op.accountId)
  if (!account) throw new Error(`account ${op.accountId} of request ${op.requestId} does not exist`)
  const { charged, gifted } = decideCharge(op, hold.amount, account)
  if (charged !== 0n) write.entries.push(rowOfCharge(op, charged, money(-gifted), account.balance))
  const key = op.apiKeyId === null ? undefined : keys.get(op.apiKeyId)
  if (key) countOnKey(op, hold.api_key_id === key.id ? hold.amount : ZERO, charged, key)
  write.logs.push(rowOfLog(op, hold.amount, charged))
  return { settled: true, charged, balance: account.balance }
}

function idsOf(inputs: readonly SetInput[], of: (input: SetInput) => number | null): number[] {
  return [...new Set(inputs.flatMap((input) => of(input) ?? []))]
}

function byId<T extends { id: number }>(rows: readonly object[]): Map<number, T> {
  return new Map((rows as T[]).map((row) => [row.id, row]))
}

function rowsOf<T extends { id: number }>(locked: Map<number, T>, names: readonly (keyof T)[], now: number): object[] {
  return [...locked.values()].map((row) => {
    const picked: Record<string, unknown> = { id: row.id, updated_at: now }
    for (const name of names) picked[String(name)] = row[name]
    return picked
  })
}
