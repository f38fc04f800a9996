import { exportAuditLogs, listAuditLogs } from '../../../contract/api/audit.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { exportAudit } from './export.ts'
import { listAudit } from './list.ts'

/** Who did what. */
export function auditRoutes(deps: Deps): Route[] {
  return [
    bind(listAuditLogs, ({ query }) => listAudit(deps, query)),
    bind(exportAuditLogs, ({ query }) => exportAudit(deps, query, query.format)),
  ]
}
