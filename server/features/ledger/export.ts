import type { AdminEntryWire, EntryWire } from '../../../contract/api/ledger.ts'
import type { Deps } from '../../http/deps.ts'
import { csvLine, csvResponse } from '../../lib/csv.ts'
import { adminEntryWireOf, entryWireOf } from './service.ts'
import { lastEntryId, selectEntriesAfter, type EntryFilters, type EntryRow } from './store.ts'

/** Rows of one read: some hundred KiB of text. */
const PAGE = 1_000

interface Columns {
  header: readonly string[]
  cells(row: EntryRow): (string | number | null)[]
}

const userFields = [
  'id',
  'created_at',
  'kind',
  'amount',
  'gifted',
  'balance_after',
  'reference',
  'reason',
] as const satisfies readonly (keyof EntryWire)[]
const adminFields = [...userFields, 'user_id', 'account_id', 'actor_user_id', 'note'] as const satisfies readonly (keyof AdminEntryWire)[]

/** What the owner of an account gets. */
export const userColumns: Columns = {
  header: userFields,
  cells(row) {
    const wire = entryWireOf(row)
    return userFields.map((field) => wire[field])
  },
}
/** What those who run the site get. */
export const adminColumns: Columns = {
  header: adminFields,
  cells(row) {
    const wire = adminEntryWireOf(row)
    return adminFields.map((field) => wire[field])
  },
}

/** The entries there are now, oldest first, as a CSV that is written while it is read. */
export async function exportEntries(deps: Pick<Deps, 'db' | 'clock'>, filters: EntryFilters, columns: Columns): Promise<Response> {
  const upTo = await lastEntryId(deps.db.query)
  const day = new Date(deps.clock.now()).toISOString().slice(0, 10)
  return csvResponse(`ledger-${day}.csv`, columns.header, lines(deps, filters, upTo, columns))
}

async function* lines(deps: Pick<Deps, 'db'>, filters: EntryFilters, upTo: number, columns: Columns): AsyncGenerator<string> {
  for (let after = 0; ;) {
    const rows = await selectEntriesAfter(deps.db.query, filters, after, upTo, PAGE)
    const last = rows.at(-1)
    if (!last) return
    after = last.id
    yield rows.map((row) => csvLine(columns.cells(row))).join('')
  }
}
