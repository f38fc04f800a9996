import { listLedger, listUserLedger } from '../../../contract/api/ledger.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { adminEntryWireOf, entryWireOf, listEntries } from './service.ts'

/** What moved on an account, and what was left after it (W74). */
export function ledgerRoutes(deps: Deps): Route[] {
  return [
    bind(listUserLedger, ({ caller, query }) => listEntries(deps, query, { userId: caller.userId, kind: query.kind }, entryWireOf)),
    bind(listLedger, ({ query }) => listEntries(deps, query, { userId: query.user_id, kind: query.kind }, adminEntryWireOf)),
  ]
}
