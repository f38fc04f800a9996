import { getStats, getUserStats } from '../../../contract/api/stats.ts'
import { formatMoney } from '../../../contract/money.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { accountOf } from '../billing/service.ts'
import { today } from '../usage/service.ts'
import { userWireOf } from '../users/service.ts'
import { countCalls, siteTotals } from './store.ts'

const MINUTE_MS = 60_000

/** The figures of the two dashboards. */
export function statsRoutes(deps: Deps): Route[] {
  return [
    bind(getStats, async () => {
      const { users, channels, total_cost: totalCost } = await siteTotals(deps.db.query)
      const { requests = 0 } = await today(deps)
      return { users, channels, total_cost: formatMoney(totalCost), today_requests: requests }
    }),
    bind(getUserStats, async ({ caller }) => {
      const account = await accountOf(deps, caller.userId)
      const { group } = await userWireOf(deps, caller.userId)
      const { requests = 0 } = await today(deps, caller.userId)
      const minute = await countCalls(deps.db.query, deps.clock.now() - MINUTE_MS, caller.userId)
      return {
        balance: formatMoney(account.balance),
        ...(group ? { group } : {}),
        total_requests: account.request_count,
        today_requests: requests,
        total_cost: formatMoney(account.spent),
        rpm: minute.requests,
        tpm: minute.tokens,
      }
    }),
  ]
}
