import { pageOfTimes } from '../../../contract/api/common.ts'
import { checkIn, checkInStatus, listCheckIns } from '../../../contract/api/check-ins.ts'
import { formatMoney } from '../../../contract/money.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { spanOf } from '../../lib/query-time.ts'
import { checkInNow, listRecords, statusOf } from './service.ts'

/** The daily reward. */
export function checkInsRoutes(deps: Deps): Route[] {
  return [
    bind(checkInStatus, ({ caller }) => statusOf(deps, caller.userId)),
    bind(listCheckIns, ({ caller, query }) => listRecords(deps, caller.userId, pageOfTimes(query), spanOf(query))),
    bind(checkIn, async ({ caller, ip }) => {
      const { row, balance } = await checkInNow(deps, caller.userId, ip)
      return {
        reward_amount: row.reward_amount,
        reward_kind: row.reward_kind,
        streak_days: row.streak_days,
        balance: formatMoney(balance),
        currency_display_name: deps.settings.text('payment_currency_display_name'),
      }
    }),
  ]
}
