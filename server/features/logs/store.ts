import type { Selectable } from 'kysely'
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

/** The rows of these numbers, in their order; one that is gone meanwhile is left out. */
export async function selectLogs(db: Query, ids: readonly number[]): Promise<LogRow[]> {
  if (ids.length === 0) return []
  const rows = await named(db).where('logs.id', 'in', ids).execute()
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

/** The numbers of the latest calls of a user, or of all, newest first. */
export async function latestIds(db: Query, userId: number | undefined, limit: number): Promise<number[]> {
  const all = db.selectFrom('logs').select('id').orderBy('id', 'desc').limit(limit)
  return (await (userId === undefined ? all : all.where('user_id', '=', userId)).execute()).map(({ id }) => id)
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
