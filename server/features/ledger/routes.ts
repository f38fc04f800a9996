import { exportLedger, exportUserLedger, listLedger, listUserLedger } from '../../../contract/api/ledger.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { adminColumns, exportEntries, userColumns } from './export.ts'
import { adminEntryWireOf, entryWireOf, filtersOf, listEntries } from './service.ts'

/** What moved on an account, and what was left after it (W74). */
export function ledgerRoutes(deps: Deps): Route[] {
  return [
    bind(listUserLedger, ({ caller, query }) => listEntries(deps, query, filtersOf(query, caller.userId), entryWireOf)),
    bind(exportUserLedger, ({ caller, query }) => exportEntries(deps, filtersOf(query, caller.userId), userColumns)),
    bind(listLedger, ({ query }) => listEntries(deps, query, filtersOf(query, query.user_id), adminEntryWireOf)),
    bind(exportLedger, ({ query }) => exportEntries(deps, filtersOf(query, query.user_id), adminColumns)),
  ]
}
