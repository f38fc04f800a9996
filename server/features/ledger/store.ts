import type { Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { LedgerEntryTable } from '../../db/schema.ts'

type Query = Database['query']
export type EntryRow = Selectable<LedgerEntryTable> & { user_id: number }

export interface EntryFilters {
  userId?: number | undefined
  kind?: string | undefined
}

function filtered(db: Query, { userId, kind }: EntryFilters) {
  let rows = db.selectFrom('ledger_entries').innerJoin('accounts', 'accounts.id', 'ledger_entries.account_id')
  if (userId !== undefined) rows = rows.where('accounts.user_id', '=', userId)
  return kind === undefined ? rows : rows.where('ledger_entries.kind', '=', kind)
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
