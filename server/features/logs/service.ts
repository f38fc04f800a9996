import type { LogQuery } from '../../../contract/api/logs.ts'
import { firstPage, pageOf } from '../../../contract/api/common.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { countLogs, findEntryOf, findLog, selectLogs, type LogFilters, type LogRow } from './store.ts'

/** The bare list, as the contract has it. */
const LATEST = 100
const DAY_MS = 86_400_000

export interface LogList<T> {
  items: T[]
  total: number
  page: number
  page_size: number
}

/**
 * Calls, newest first: bare the latest 100, or a page as soon as any parameter but `user_id` is given (contract.md 3.5).
 * @throws AppError bad_request `invalid time format`
 */
export async function listLogsOf<T>(
  deps: Pick<Deps, 'db'>,
  query: LogQuery,
  wire: (row: LogRow) => T,
  ownUserId?: number,
): Promise<T[] | LogList<T>> {
  const filters: LogFilters = {
    userId: ownUserId ?? query.user_id,
    apiKeyId: query.api_key_id,
    userChannelId: query.user_channel_id,
    channelId: query.channel_id,
    modelName: query.model_name,
    endReason: query.end_reason,
    from: timeOf(query.start_time ?? query.start_date, 'start'),
    before: timeOf(query.end_time ?? query.end_date, 'end'),
  }
  const db = deps.db.query
  const filtersGiven = Object.entries(query).some(([name, value]) => name !== 'user_id' && value !== undefined)
  if (!filtersGiven) return (await selectLogs(db, filters, LATEST, 0)).map(wire)
  const { page, pageSize } = pageOf(query) ?? firstPage
  const rows = await selectLogs(db, filters, pageSize, (page - 1) * pageSize)
  return { items: rows.map(wire), total: await countLogs(db, filters), page, page_size: pageSize }
}

/** One call by number or request id, with its ledger entry. @throws AppError not_found, also for another's */
export async function findCall(deps: Pick<Deps, 'db'>, id: string, ownUserId?: number): Promise<{ row: LogRow; entryId: number | null }> {
  const row = await findLog(deps.db.query, id.startsWith('req_') ? id : Number(id), ownUserId)
  if (!row) throw new AppError('not_found', { message: 'Log not found' })
  return { row, entryId: await findEntryOf(deps.db.query, row.request_id) }
}

/** RFC 3339, `YYYY-MM-DDTHH:MM[:SS]` or `YYYY-MM-DD`, UTC where no offset is given. An end is exclusive; a date as end means its whole day. */
function timeOf(text: string | undefined, side: 'start' | 'end'): number | undefined {
  if (text === undefined || text.trim() === '') return undefined
  // A `+` of an offset arrives as a blank when it was not encoded.
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+ -]\d\d:\d\d)?)?$/i.exec(text.trim())
  if (!match) throw new AppError('bad_request', { message: 'invalid time format' })
  const [, date, clock, offset] = match
  const epoch = Date.parse(clock === undefined ? `${date}T00:00:00Z` : `${date}T${clock}${(offset ?? 'Z').replace(' ', '+')}`)
  if (Number.isNaN(epoch)) throw new AppError('bad_request', { message: 'invalid time format' })
  if (side === 'start') return epoch
  return clock === undefined ? epoch + DAY_MS : epoch + 1
}
