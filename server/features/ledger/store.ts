import type { Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { LedgerEntryTable } from '../../db/schema.ts'

type Query = Database['query']
export type EntryRow = Selectable<LedgerEntryTable> & { user_id: number }

/** Times in epoch ms; `before` is exclusive. */
export interface EntryFilters {
  userId?: number | undefined
  kinds?: readonly string[] | undefined
  from?: number | undefined
  before?: number | undefined
}

function filtered(db: Query, { userId, kinds, from, before }: EntryFilters) {
  let rows = db.selectFrom('ledger_entries').innerJoin('accounts', 'accounts.id', 'ledger_entries.account_id')
  if (userId !== undefined) rows = rows.where('accounts.user_id', '=', userId)
  if (kinds !== undefined) rows = rows.where('ledger_entries.kind', 'in', kinds)
  if (from !== undefined) rows = rows.where('ledger_entries.created_at', '>=', from)
  return before === undefined ? rows : rows.where('ledger_entries.created_at', '<', before)
}

/** Newest first. */
export function selectEntries(db: Query, filters: EntryFilters, limit: number, offset: number): Promise<EntryRow[]> {
  return filtered(db, filters)
    .selectAll('ledger_entries')
    .select('accounts.user_id')
    .orderBy('ledger_entries.id', 'desc')
    .limit(limit)
    .offset(offset)
    .execute()
}

export async function countEntries(db: Query, filters: EntryFilters): Promise<number> {
  return (
    await filtered(db, filters)
      .select((count) => count.fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow()
  ).total
}

/** Oldest first, from behind one entry up to another. */
export function selectEntriesAfter(db: Query, filters: EntryFilters, after: number, upTo: number, limit: number): Promise<EntryRow[]> {
  return filtered(db, filters)
    .selectAll('ledger_entries')
    .select('accounts.user_id')
    .where('ledger_entries.id', '>', after)
    .where('ledger_entries.id', '<=', upTo)
    .orderBy('ledger_entries.id')
    .limit(limit)
    .execute()
}

/** The newest entry of all, 0 when there is none. */
export async function lastEntryId(db: Query): Promise<number> {
  return (await db.selectFrom('ledger_entries').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst())?.id ?? 0
}
