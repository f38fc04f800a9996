import { getReconciliation, importUsage, listReconciliations, recheckReconciliation } from '../../../contract/api/reconciliations.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { compareRun, detailOf, importFile, listRuns } from './service.ts'

/** What we wrote down beside what the upstreams did. */
export function reconciliationRoutes(deps: Deps): Route[] {
  return [
    bind(listReconciliations, ({ query }) => listRuns(deps, query)),
    bind(getReconciliation, ({ params }) => detailOf(deps, params.id)),
    bind(importUsage, ({ body, caller, ip }) => importFile(deps, body, { userId: caller.userId, ip })),
    bind(recheckReconciliation, async ({ params }) => {
      await compareRun(deps, params.id)
      return detailOf(deps, params.id)
    }),
  ]
}
