import { dailyReport } from '../../../contract/api/reports.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { dailyReportOf } from './service.ts'

/** What the site earned. */
export function reportsRoutes(deps: Deps): Route[] {
  return [bind(dailyReport, ({ query }) => dailyReportOf(deps, query.from, query.to, query.group_by))]
}
