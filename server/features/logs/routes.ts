import { getLog, getUserLog, listLogs, listUserLogs } from '../../../contract/api/logs.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { channelNames } from '../channels/service.ts'
import { findCall, listLogsOf } from './service.ts'
import { adminLogWireOf, adminReceiptOf, logWireOf, plannedChannels, receiptOf } from './wire.ts'

/** Calls and their receipts. */
export function logsRoutes(deps: Deps): Route[] {
  return [
    bind(listUserLogs, ({ caller, query }) => listLogsOf(deps, query, logWireOf, caller.userId)),
    bind(getUserLog, async ({ caller, params }) => {
      return receiptOf(await findCall(deps, params.id, caller.userId))
    }),
    bind(listLogs, ({ query }) => listLogsOf(deps, query, adminLogWireOf)),
    bind(getLog, async ({ params }) => {
      const call = await findCall(deps, params.id)
      return adminReceiptOf(call, await channelNames(deps.db.query, plannedChannels(call.row)))
    }),
  ]
}
