import { sql } from 'kysely'
import type { Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'

type Query = Database['query']

/** The first entry of an account at or after an instant; undefined: there is none yet. */
export async function firstEntryFrom(db: Query, accountId: number, from: number): Promise<number | undefined> {
  const rows = db.selectFrom('ledger_entries').select('id').where('account_id', '=', accountId).where('created_at', '>=', from)
  return (await rows.orderBy('id').limit(1).executeTakeFirst())?.id
}

/** The newest entry of an account. */
export async function lastEntryOf(db: Query, accountId: number): Promise<number | undefined> {
  const rows = db.selectFrom('ledger_entries').select('id').where('account_id', '=', accountId)
  return (await rows.orderBy('id', 'desc').limit(1).executeTakeFirst())?.id
}

/** The balance after the last entry before the given one. */
export async function balanceBefore(db: Query, accountId: number, entryId: number): Promise<Money | undefined> {
  const rows = db.selectFrom('ledger_entries').select('balance_after').where('account_id', '=', accountId).where('id', '<', entryId)
  return (await rows.orderBy('id', 'desc').limit(1).executeTakeFirst())?.balance_after
}

/** Sums of an account's entries by kind, from one entry up to, not including, another. */
export function sumsByKind(
  db: Query,
  accountId: number,
  first: number,
  next: number,
): Promise<{ kind: string; entries: number; total_amount: Money }[]> {
  return db
    .selectFrom('ledger_entries')
    .where('account_id', '=', accountId)
    .where('id', '>=', first)
    .where('id', '<', next)
    .select(['kind', (count) => count.fn.countAll<number>().as('entries'), sql<Money>`sum(amount)`.as('total_amount')])
    .groupBy('kind')
    .orderBy('kind')
    .execute()
}

interface Used {
  requests: number
  cost: Money
}

/** Calls of a user by model, the dearest first. */
export function callsByModel(db: Query, userId: number, from: number, before: number): Promise<(Used & { model_name: string })[]> {
  return calls(db, userId, from, before).select('model_name').groupBy('model_name').orderBy('cost', 'desc').orderBy('model_name').execute()
}

/** Calls of a user by key, the dearest first; a key that was deleted keeps its number. */
export function callsByKey(
  db: Query,
  userId: number,
  from: number,
  before: number,
): Promise<(Used & { api_key_id: number | null; name: string | null })[]> {
  return calls(db, userId, from, before)
    .leftJoin('api_keys', 'api_keys.id', 'logs.api_key_id')
    .select(['logs.api_key_id', 'api_keys.name'])
    .groupBy(['logs.api_key_id', 'api_keys.name'])
    .orderBy('cost', 'desc')
    .orderBy('logs.api_key_id')
    .execute()
}

function calls(db: Query, userId: number, from: number, before: number) {
  return db
    .selectFrom('logs')
    .where('logs.user_id', '=', userId)
    .where('logs.created_at', '>=', from)
    .where('logs.created_at', '<', before)
    .select([(count) => count.fn.countAll<number>().as('requests'), sql<Money>`sum(logs.cost)`.as('cost')])
}
