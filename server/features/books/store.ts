import { sql, type Kysely, type Selectable } from 'kysely'
import type { Money } from '../../../contract/money.ts'
import type { LedgerEntryTable, LogTable, Schema } from '../../db/schema.ts'

/** Rows of one read: the books of millions of calls are checked in steady memory. */
const PAGE = 5_000

type Query = Kysely<Schema>

/** All log rows in order, a page at a time. */
export async function* logRows(db: Query): AsyncGenerator<Selectable<LogTable>[]> {
  for (let after = 0; ;) {
    const rows = await db.selectFrom('logs').selectAll().where('id', '>', after).orderBy('id').limit(PAGE).execute()
    if (rows.length === 0) return
    yield rows
    after = rows.at(-1)?.id ?? after
  }
}

/** The ledger in order, a page at a time. */
export async function* ledgerRows(db: Query): AsyncGenerator<Selectable<LedgerEntryTable>[]> {
  for (let after = 0; ;) {
    const rows = await db.selectFrom('ledger_entries').selectAll().where('id', '>', after).orderBy('id').limit(PAGE).execute()
    if (rows.length === 0) return
    yield rows
    after = rows.at(-1)?.id ?? after
  }
}

/** Every account with what its open holds sum up to. */
export function accountTotals(
  db: Query,
): Promise<{ id: number; balance: Money; held: Money; gifted: Money; total_amount: Money | null }[]> {
  return db
    .selectFrom('accounts')
    .select(['id', 'balance', 'held', 'gifted'])
    .select((row) =>
      row.selectFrom('holds').whereRef('holds.account_id', '=', 'accounts.id').select(sumOf('holds.amount')).as('total_amount'),
    )
    .execute()
}

/** Every key with what its open holds and its calls since the last reset sum up to; the log is read once for all of them. */
export function keyTotals(
  db: Query,
): Promise<{ id: number; quota_used: Money; quota_held: Money; total_amount: Money | null; total_cost: Money }[]> {
  const spent = db
    .selectFrom('logs')
    .innerJoin('api_keys as key', 'key.id', 'logs.api_key_id')
    .where((where) => where.or([where('key.usage_reset_at', 'is', null), where('logs.created_at', '>', where.ref('key.usage_reset_at'))]))
    .select(['key.id as key_id', sumOf('logs.cost')])
    .groupBy('key.id')
  // Of the calls that left the log those since the key's last reset.
  const archived = db
    .selectFrom('log_archive')
    .innerJoin('api_keys as archivedKey', 'archivedKey.id', 'log_archive.api_key_id')
    .where(sql<boolean>`log_archive.reset_at = coalesce("archivedKey".usage_reset_at, 0)`)
    .select(['archivedKey.id as key_id', sumOf('log_archive.cost')])
    .groupBy('archivedKey.id')
  return db
    .selectFrom('api_keys')
    .leftJoin(spent.as('spent'), 'spent.key_id', 'api_keys.id')
    .leftJoin(archived.as('archived'), 'archived.key_id', 'api_keys.id')
    .select(['api_keys.id', 'quota_used', 'quota_held'])
    .select(sql<Money>`coalesce(spent.sum, 0) + coalesce(archived.sum, 0)`.as('total_cost'))
    .select((row) =>
      row.selectFrom('holds').whereRef('holds.api_key_id', '=', 'api_keys.id').select(sumOf('holds.amount')).as('total_amount'),
    )
    .execute()
}

/** Calls with a cost but no ledger entry of that amount. */
export async function callsWithoutEntry(db: Query): Promise<string[]> {
  const calls = await db
    .selectFrom('logs')
    .select('logs.request_id')
    .where('logs.cost', '<>', 0n as Money)
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('ledger_entries')
            .select('ledger_entries.id')
            .where('ledger_entries.kind', '=', 'usage')
            .whereRef('ledger_entries.reference', '=', 'logs.request_id')
            .where(sql<boolean>`ledger_entries.amount = -logs.cost`)
            .whereRef('ledger_entries.account_id', '=', 'logs.account_id'),
        ),
      ),
    )
    .limit(PAGE)
    .execute()
  return calls.map(({ request_id: id }) => id)
}

/** Entries of calls that are not in the log, by account. */
export function entriesWithoutCall(db: Query): Promise<{ account_id: number; charged: number; total_cost: Money }[]> {
  return withoutCall(db)
    .select(['account_id', sql<number>`count(*)`.as('charged'), sql<Money>`sum(-amount)`.as('total_cost')])
    .groupBy('account_id')
    .execute()
}

/** The references of such entries of one account. */
export async function referencesWithoutCall(db: Query, accountId: number): Promise<string[]> {
  const rows = await withoutCall(db).select('reference').where('account_id', '=', accountId).limit(PAGE).execute()
  return rows.map(({ reference }) => reference)
}

function withoutCall(db: Query) {
  return db
    .selectFrom('ledger_entries')
    .where('kind', '=', 'usage')
    .where((where) =>
      where.not(where.exists(where.selectFrom('logs').select('logs.id').whereRef('logs.request_id', '=', 'ledger_entries.reference'))),
    )
}

/** An exact sum on both engines: PostgreSQL's sum of bigint is numeric, read back as an integer. */
function sumOf(column: 'holds.amount' | 'logs.cost' | 'log_archive.cost') {
  return sql<Money | null>`sum(${sql.ref(column)})`.as('sum')
}
