import type { LogQuery } from '../../../contract/api/logs.ts'
import { firstPage, pageOf } from '../../../contract/api/common.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { spanOf } from '../../lib/query-time.ts'
import { searchLogs } from './search.ts'
import type { LogFilters } from './search/store.ts'
import { findEntryOf, findLog, latestIds, selectLogs, type LogRow, selectParts, type PartRow } from './store.ts'

/** The bare list, as the contract has it. */
const LATEST = 100

export interface LogList<T> {
  items: T[]
  total: number
  page: number
  page_size: number
}

/**
 * Calls, newest first: bare the latest 100, or a page as soon as any parameter but `user_id` is given (contract.md 3.5).
 * @throws AppError bad_request `invalid time format`, search_too_broad
 */
export async function listLogsOf<T>(
  deps: Pick<Deps, 'db'>,
  query: LogQuery,
  wire: (row: LogRow) => T,
  ownUserId?: number,
): Promise<T[] | LogList<T>> {
  const db = deps.db.query
  const span = spanOf(query)
  const userId = ownUserId ?? query.user_id
  const filtersGiven = Object.entries(query).some(([name, value]) => name !== 'user_id' && value !== undefined)
  if (!filtersGiven) return (await selectLogs(db, await latestIds(db, userId, LATEST))).map(wire)
  const { page, pageSize } = pageOf(query) ?? firstPage
  const filters: LogFilters = {
    userId,
    apiKeyId: query.api_key_id,
    userChannelId: query.user_channel_id,
    channelId: query.channel_id,
    modelText: query.model_name || undefined,
    endReason: query.end_reason,
    ...span,
  }
  const { ids, total } = await searchLogs(db, filters, pageSize, (page - 1) * pageSize)
  return { items: (await selectLogs(db, ids)).map(wire), total, page, page_size: pageSize }
}

/** A call with what its receipt is made of. */
export interface FoundCall {
  row: LogRow
  entryId: number | null
  /** The calls a meta model made for it. */
  parts: PartRow[]
}

/** One call by number or request id, with its ledger entry. @throws AppError not_found, also for another's */
export async function findCall(deps: Pick<Deps, 'db'>, id: string, ownUserId?: number): Promise<FoundCall> {
  const row = await findLog(deps.db.query, id.startsWith('req_') ? id : Number(id), ownUserId)
  if (!row) throw new AppError('not_found', { message: 'Log not found' })
  const parts = row.meta_model === '' ? [] : await selectParts(deps.db.query, row.request_id)
  return { row, entryId: await findEntryOf(deps.db.query, row.request_id), parts }
}
