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
