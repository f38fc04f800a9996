import { sql } from 'kysely'
import type { Database } from '../../../db/open.ts'
import { contains } from '../../../db/search.ts'

type Query = Database['query']

/** What calls are looked for by. */
export interface LogFilters {
  userId?: number | undefined
  apiKeyId?: number | undefined
  userChannelId?: number | undefined
  channelId?: number | undefined
  /** A part of the model's name, whatever its case. */
  modelText?: string | undefined
  endReason?: string | undefined
  /** Epoch ms, inclusive. */
  from?: number | undefined
  /** Epoch ms, exclusive. */
  before?: number | undefined
  /** Numbers between which the rows of that time lie, both exclusive. */
  afterId?: number | undefined
  beforeId?: number | undefined
}

/** A row's place in the order of a road. */
export interface Point {
  id: number
  created_at: number
}

/** Rows that lie together in an index, walked from the newest: by number those of a user or an end, or by time up to a number. */
export type Road =
  | { by: 'id'; userId?: number | undefined; endReason?: string | undefined; afterId?: number | undefined; beforeId?: number | undefined }
  | { by: 'time'; from: number; before: number; upToId: number }

/** The part of a road from `low` on, but before `high`; undefined: to its end. */
export interface Slice {
  road: Road
  low?: Point | undefined
  high?: Point | undefined
}

/** The last of the next `rows` rows of a road behind `high`; undefined: there are fewer. Read from the index alone. */
export function boundary(db: Query, road: Road, high: Point | undefined, rows: number): Promise<Point | undefined> {
  const all = sliceOf(db, { road, high })
  return inOrder(all, road)
    .select(['logs.id', road.by === 'id' ? sql<number>`0`.as('created_at') : 'logs.created_at'])
    .limit(1)
    .offset(rows - 1)
    .executeTakeFirst()
}

/** How many rows of the slice fit. */
export async function countIn(db: Query, slice: Slice, filters: LogFilters): Promise<number> {
  const rows = fitting(sliceOf(db, slice), filters).select((count) => count.fn.countAll<number>().as('total'))
  return (await rows.executeTakeFirstOrThrow()).total
}

/** The numbers of the rows of the slice that fit, newest first. */
export async function idsIn(db: Query, slice: Slice, filters: LogFilters, limit: number, offset: number): Promise<number[]> {
  const rows = inOrder(fitting(sliceOf(db, slice), filters), slice.road)
    .select('logs.id')
    .limit(limit)
    .offset(offset)
  return (await rows.execute()).map(({ id }) => id)
}

/** The time of the oldest call in the log; undefined without any. */
export async function oldestTime(db: Query): Promise<number | undefined> {
  return (await db.selectFrom('logs').select('created_at').orderBy('created_at').limit(1).executeTakeFirst())?.created_at
}

/** How far numbers and times of rows may be out of order: a clock that is set back or forth by an hour, and a margin. */
const MAX_DISORDER_MS = 7_200_000

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

function sliceOf(db: Query, { road, low, high }: Slice) {
  let rows = db.selectFrom('logs')
  if (road.by === 'time') {
    rows = rows.where('logs.created_at', '>=', low?.created_at ?? road.from)
    rows = high ? rows.where('logs.created_at', '<=', high.created_at) : rows.where('logs.created_at', '<', road.before)
    if (low) rows = rows.where(sql<boolean>`(logs.created_at > ${low.created_at} or logs.id + 0 >= ${low.id})`)
    if (high) rows = rows.where(sql<boolean>`(logs.created_at < ${high.created_at} or logs.id + 0 < ${high.id})`)
    return rows.where(sql<boolean>`logs.id + 0 <= ${road.upToId}`)
  }
  if (road.userId !== undefined) rows = rows.where('logs.user_id', '=', road.userId)
  // The index has only what did not end as most calls do, which a database must be told in words.
  if (road.endReason !== undefined)
    rows = rows.where('logs.end_reason', '=', road.endReason).where(sql<boolean>`logs.end_reason <> 'complete'`)
  if (low) rows = rows.where('logs.id', '>=', low.id)
  else if (road.afterId !== undefined) rows = rows.where('logs.id', '>', road.afterId)
  const end = high?.id ?? road.beforeId
  return end === undefined ? rows : rows.where('logs.id', '<', end)
}

type Rows = ReturnType<typeof sliceOf>

function inOrder(rows: Rows, road: Road): Rows {
  return (road.by === 'time' ? rows.orderBy('logs.created_at', 'desc') : rows).orderBy('logs.id', 'desc')
}

/** Conditions that no index is looked for by: the slice is what is read. */
function fitting(rows: Rows, filters: LogFilters): Rows {
  const numbers = {
    user_id: filters.userId,
    api_key_id: filters.apiKeyId,
    user_channel_id: filters.userChannelId,
    channel_id: filters.channelId,
  }
  for (const [name, value] of Object.entries(numbers))
    if (value !== undefined) rows = rows.where(sql<boolean>`${sql.ref(`logs.${name}`)} + 0 = ${value}`)
  if (filters.endReason !== undefined) rows = rows.where(sql<boolean>`logs.end_reason || '' = ${filters.endReason}`)
  if (filters.modelText !== undefined) rows = rows.where(contains(['logs.model_name'], filters.modelText))
  if (filters.from !== undefined) rows = rows.where(sql<boolean>`logs.created_at + 0 >= ${filters.from}`)
  if (filters.before !== undefined) rows = rows.where(sql<boolean>`logs.created_at + 0 < ${filters.before}`)
  return rows
}
