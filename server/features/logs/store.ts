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
  /** One of them, at least one. */
  models?: readonly string[] | undefined
  endReason?: string | undefined
  /** Epoch ms, inclusive. */
  from?: number | undefined
  /** Epoch ms, exclusive. */
  before?: number | undefined
  /** Numbers between which the rows of that time lie, both exclusive. */
  afterId?: number | undefined
  beforeId?: number | undefined
}

/** Rows of a list that are counted. */
const MAX_COUNTED = 100_000
/** How far numbers and times of rows may be out of order: a clock that is set back or forth by an hour, and a margin. */
const MAX_DISORDER_MS = 7_200_000

/** Newest first. */
export function selectLogs(db: Query, filters: LogFilters, limit: number, offset: number): Promise<LogRow[]> {
  // The page is found by the index alone; names are looked up for its rows only.
  const { models } = filters
  const ids = models
    ? // Each model's newest are at the end of its stretch of the index; sorted together they hold the page.
      db
        .selectFrom(
          models
            .map((name) => newest(db, { ...filters, models: [name] }, limit + offset))
            .reduce((a, b) => a.unionAll(b))
            .as('of'),
        )
        .select('of.id')
        .orderBy('of.id', 'desc')
        .limit(limit)
        .offset(offset)
    : newest(db, filters, limit, offset)
  return named(db).where('logs.id', 'in', ids).orderBy('logs.id', 'desc').execute()
}

/** In brackets of its own: a member of a union that is sorted. */
function newest(db: Query, filters: LogFilters, limit: number, offset = 0) {
  const page = filtered(db, filters).select('logs.id').orderBy('logs.id', 'desc').limit(limit).offset(offset)
  return db.selectFrom(page.as('page')).select('page.id')
}

/** At most MAX_COUNTED: more pages than anybody turns, and more rows than may be counted while somebody waits. */
export async function countLogs(db: Query, filters: LogFilters): Promise<number> {
  const some = filtered(db, filters).select('logs.id').limit(MAX_COUNTED)
  const rows = db.selectFrom(some.as('some')).select((count) => count.fn.countAll<number>().as('total'))
  return (await rows.executeTakeFirstOrThrow()).total
}

/**
 * The numbers of rows between which all of a time lie: rows are numbered in the order of their times but for what processes'
 * clocks and commits differ by.
 */
export async function idsAround(
  db: Query,
  from: number | undefined,
  before: number | undefined,
): Promise<Pick<LogFilters, 'afterId' | 'beforeId'>> {
  const near = db.selectFrom('logs').select('id').limit(1)
  const [first, last] = [
    from === undefined
      ? undefined
      : await near
          .where('created_at', '<', from - MAX_DISORDER_MS)
          .orderBy('created_at', 'desc')
          .executeTakeFirst(),
    before === undefined
      ? undefined
      : await near
          .where('created_at', '>=', before + MAX_DISORDER_MS)
          .orderBy('created_at')
          .executeTakeFirst(),
  ]
  return { afterId: first?.id, beforeId: last?.id }
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
  // The index has only these, which a database must be told in words.
  if (filters.endReason !== undefined && filters.endReason !== 'complete') rows = rows.where(sql<boolean>`logs.end_reason <> 'complete'`)
  if (filters.models)
    rows =
      filters.models.length === 1
        ? rows.where('logs.model_name', '=', filters.models[0] ?? '')
        : rows.where('logs.model_name', 'in', filters.models)
  if (filters.afterId !== undefined) rows = rows.where('logs.id', '>', filters.afterId)
  if (filters.beforeId !== undefined) rows = rows.where('logs.id', '<', filters.beforeId)
  // Not by the index of times: rows come in the order of their numbers, between which the time lies.
  if (filters.from !== undefined) rows = rows.where(sql<boolean>`logs.created_at + 0 >= ${filters.from}`)
  if (filters.before !== undefined) rows = rows.where(sql<boolean>`logs.created_at + 0 < ${filters.before}`)
  return rows
}
