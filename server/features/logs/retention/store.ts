import { sql, type RawBuilder } from 'kysely'
import type { Money } from '../../../../contract/money.ts'
import type { Database } from '../../../db/open.ts'

type Tx = Database['query']

const counts = {
  requests: sql`sum(case when logs.parent_request_id is null then 1 else 0 end)`,
  parts: sql`sum(case when logs.parent_request_id is not null then 1 else 0 end)`,
  input_tokens: sql`sum(logs.input_tokens)`,
  output_tokens: sql`sum(logs.output_tokens)`,
  charged: sql`sum(case when logs.cost <> 0 then 1 else 0 end)`,
  cost: sql`sum(logs.cost)`,
} as const satisfies Record<string, RawBuilder<unknown>>
const countNames = Object.keys(counts) as (keyof typeof counts)[]
const keyNames = ['account_id', 'api_key_id', 'reset_at'] as const

/** The oldest rows behind `after`, in order. */
export function oldestRows(db: Tx, after: number, upTo: number, limit: number): Promise<{ id: number; created_at: number }[]> {
  return db
    .selectFrom('logs')
    .select(['id', 'created_at'])
    .where('id', '>', after)
    .where('id', '<=', upTo)
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** The number of the newest row; 0 without any. */
export async function newestId(db: Tx): Promise<number> {
  return (await db.selectFrom('logs').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst())?.id ?? 0
}

/** Adds the rows `after` < id <= `upTo` to the sums, then deletes them. */
export async function archiveRows(tx: Tx, after: number, upTo: number): Promise<void> {
  // What a key had spent before its usage was reset counts for its quota no more.
  const reset = sql<number>`case when k.usage_reset_at is null then 0 when logs.created_at > k.usage_reset_at then k.usage_reset_at else -1 end`
  const key = sql<number>`coalesce(logs.api_key_id, 0)`
  await tx
    .insertInto('log_archive')
    .columns([...keyNames, ...countNames])
    .expression(
      tx
        .selectFrom('logs')
        .leftJoin('api_keys as k', 'k.id', 'logs.api_key_id')
        .where('logs.id', '>', after)
        .where('logs.id', '<=', upTo)
        .select(['logs.account_id', key.as('api_key_id'), reset.as('reset_at')])
        .select(countNames.map((name) => sql<number>`cast(${counts[name]} as bigint)`.as(name)))
        .groupBy(['logs.account_id', key, reset]),
    )
    .onConflict((on) =>
      on
        .columns([...keyNames])
        .doUpdateSet(Object.fromEntries(countNames.map((name) => [name, sql`log_archive.${sql.ref(name)} + excluded.${sql.ref(name)}`]))),
    )
    .execute()
  await tx.deleteFrom('logs').where('id', '>', after).where('id', '<=', upTo).execute()
}

/** What left the log, by account, and all of it together. */
export async function archivedByAccount(db: Tx): Promise<{ account_id: number; charged: number; total_cost: Money }[]> {
  return db
    .selectFrom('log_archive')
    .select(['account_id', sql<number>`sum(charged)`.as('charged'), sql<Money>`sum(cost)`.as('total_cost')])
    .groupBy('account_id')
    .execute()
}

/** Sums of all that left the log; null where nothing did. */
export function archivedTotals(db: Tx): Promise<{
  requests: number | null
  parts: number | null
  input_tokens: number | null
  output_tokens: number | null
  cost: Money | null
}> {
  const sum = (name: 'requests' | 'parts' | 'input_tokens' | 'output_tokens' | 'cost') => sql<never>`sum(${sql.ref(name)})`.as(name)
  return db
    .selectFrom('log_archive')
    .select([sum('requests'), sum('parts'), sum('input_tokens'), sum('output_tokens'), sum('cost')])
    .executeTakeFirstOrThrow()
}
