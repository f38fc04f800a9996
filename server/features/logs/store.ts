import { sql, type Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { LogTable } from '../../db/schema.ts'

type Query = Database['query']

/** A call with the names of what it refers to; null where that was deleted since. */
export type LogRow = Selectable<LogTable> & {
  username: string | null
  channel_name: string | null
  api_key_name: string | null
  user_channel_name: string | null
}

export interface LogFilters {
  userId?: number | undefined
  apiKeyId?: number | undefined
  userChannelId?: number | undefined
  channelId?: number | undefined
  /** Part of the name, whatever the case. */
  modelName?: string | undefined
  endReason?: string | undefined
  /** Epoch ms, inclusive. */
  from?: number | undefined
  /** Epoch ms, exclusive. */
  before?: number | undefined
}

/** Newest first. */
export function selectLogs(db: Query, filters: LogFilters, limit: number, offset: number): Promise<LogRow[]> {
  // The page is found by the index alone; names are looked up for its rows only.
  const ids = filtered(db, filters).select('logs.id').orderBy('logs.id', 'desc').limit(limit).offset(offset)
  return named(db).where('logs.id', 'in', ids).orderBy('logs.id', 'desc').execute()
}

export async function countLogs(db: Query, filters: LogFilters): Promise<number> {
  return (
    await filtered(db, filters)
      .select((count) => count.fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow()
  ).total
}

/** By number or request id; `userId` limits it to his own. */
export function findLog(db: Query, id: number | string, userId: number | undefined): Promise<LogRow | undefined> {
  const row = typeof id === 'number' ? named(db).where('logs.id', '=', id) : named(db).where('logs.request_id', '=', id)
  return (userId === undefined ? row : row.where('logs.user_id', '=', userId)).executeTakeFirst()
}

export type PartRow = Pick<Selectable<LogTable>, 'request_id' | 'meta_role' | 'model_name' | 'status' | 'end_reason' | 'cost'>

/** The calls that were made for a call of a meta model, in order. */
export function selectParts(db: Query, requestId: string): Promise<PartRow[]> {
  return db
    .selectFrom('logs')
    .select(['request_id', 'meta_role', 'model_name', 'status', 'end_reason', 'cost'])
    .where('parent_request_id', '=', requestId)
    .orderBy('id')
    .execute()
}

/** The ledger entry a call was booked with; null when it cost nothing. */
export async function findEntryOf(db: Query, requestId: string): Promise<number | null> {
  const row = await db
    .selectFrom('ledger_entries')
    .select('id')
    .where('kind', '=', 'usage')
    .where('reference', '=', requestId)
    .executeTakeFirst()
  return row?.id ?? null
}

function named(db: Query) {
  return db
    .selectFrom('logs')
    .leftJoin('users', 'users.id', 'logs.user_id')
    .leftJoin('channels', 'channels.id', 'logs.channel_id')
    .leftJoin('api_keys', 'api_keys.id', 'logs.api_key_id')
    .leftJoin('user_channels', 'user_channels.id', 'logs.user_channel_id')
    .selectAll('logs')
    .select(['users.username', 'channels.name as channel_name', 'api_keys.name as api_key_name', 'user_channels.name as user_channel_name'])
}

function filtered(db: Query, filters: LogFilters) {
  let rows = db.selectFrom('logs')
  if (filters.userId !== undefined) rows = rows.where('logs.user_id', '=', filters.userId)
  if (filters.apiKeyId !== undefined) rows = rows.where('logs.api_key_id', '=', filters.apiKeyId)
  if (filters.userChannelId !== undefined) rows = rows.where('logs.user_channel_id', '=', filters.userChannelId)
  if (filters.channelId !== undefined) rows = rows.where('logs.channel_id', '=', filters.channelId)
  if (filters.endReason !== undefined) rows = rows.where('logs.end_reason', '=', filters.endReason)
  if (filters.modelName !== undefined && filters.modelName !== '') {
    const pattern = `%${filters.modelName.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
    rows = rows.where(sql<boolean>`lower(logs.model_name) like ${pattern} escape '\\'`)
  }
  if (filters.from !== undefined) rows = rows.where('logs.created_at', '>=', filters.from)
  if (filters.before !== undefined) rows = rows.where('logs.created_at', '<', filters.before)
  return rows
}
