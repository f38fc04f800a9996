import type { AdminEntryWire, EntryWire } from '../../../contract/api/ledger.ts'
import { pageOf } from '../../../contract/api/common.ts'
import { formatMoney } from '../../../contract/money.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime } from '../../lib/clock.ts'
import { spanOf } from '../../lib/query-time.ts'
import { countEntries, selectEntries, type EntryFilters, type EntryRow } from './store.ts'

/** Entries of the bare list, as long as the list of calls. */
const LATEST = 100

/** What a list or an export is about. @throws AppError bad_request `invalid time format` */
export function filtersOf(
  query: Partial<Record<'start_time' | 'start_date' | 'end_time' | 'end_date', string | undefined>> & { kind?: string[] | undefined },
  userId: number | undefined,
): EntryFilters {
  return {
    userId,
    kinds: query.kind,
    ...spanOf(query),
  }
}

export interface EntryList<T> {
  items: T[]
  total: number
  page: number
  page_size: number
}

/** Entries, newest first: the latest 100, or a page. */
export async function listEntries<T>(
  deps: Pick<Deps, 'db'>,
  query: { page?: number | undefined; page_size?: number | undefined },
  filters: EntryFilters,
  wire: (row: EntryRow) => T,
): Promise<T[] | EntryList<T>> {
  const page = pageOf(query)
  const db = deps.db.query
  if (!page) return (await selectEntries(db, filters, LATEST, 0)).map(wire)
  const rows = await selectEntries(db, filters, page.pageSize, (page.page - 1) * page.pageSize)
  return { items: rows.map(wire), total: await countEntries(db, filters), page: page.page, page_size: page.pageSize }
}

/** An entry as its owner sees it. */
export function entryWireOf(row: EntryRow): EntryWire {
  return {
    id: row.id,
    kind: row.kind as EntryWire['kind'],
    amount: formatMoney(row.amount),
    gifted: formatMoney(row.gifted),
    balance_after: formatMoney(row.balance_after),
    reference: row.reference,
    reason: row.reason,
    created_at: isoTime(row.created_at),
  }
}

/** An entry with whose it is and who booked it. */
export function adminEntryWireOf(row: EntryRow): AdminEntryWire {
  return { ...entryWireOf(row), account_id: row.account_id, user_id: row.user_id, actor_user_id: row.actor_user_id, note: row.note }
}
