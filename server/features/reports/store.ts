import { sql, type RawBuilder, type Selectable } from 'kysely'
import type { reportGroups } from '../../../contract/api/reports.ts'
import type { Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { DailyTotalTable } from '../../db/schema.ts'
import { contains } from '../../db/search.ts'

type Tx = Database['query']
export type Group = (typeof reportGroups)[number]

/** Sums of calls; what is not grouped by is null. */
export type TotalRow = Omit<Selectable<DailyTotalTable>, 'id' | 'day' | 'channel_id' | 'model_name' | 'upstream_model_name'> & {
  day: number | null
  channel_id: number | null
  model_name: string | null
}

const counts = [
  'requests',
  'input_tokens',
  'cached_input_tokens',
  'cache_write_input_tokens',
  'cache_write_1h_input_tokens',
  'output_tokens',
  'cost',
  'uncollected',
  'upstream_cost',
  'unknown_cost_sales',
  'unknown_cost_requests',
] as const
type Count = (typeof counts)[number]

const keys = ['day', 'channel_id', 'model_name', 'upstream_model_name'] as const

/** Each key and count of `daily_totals`, from log rows. */
const ofLogs: Record<Count | (typeof keys)[number], RawBuilder<never>> = {
  day: sql<never>`logs.created_at / 86400000`,
  channel_id: sql<never>`coalesce(logs.channel_id, 0)`,
  model_name: sql<never>`logs.model_name`,
  upstream_model_name: sql<never>`logs.upstream_model_name`,
  requests: sql<never>`count(*)`,
  input_tokens: sql<never>`sum(logs.input_tokens)`,
  cached_input_tokens: sql<never>`sum(logs.cached_input_tokens)`,
  cache_write_input_tokens: sql<never>`sum(logs.cache_write_input_tokens)`,
  cache_write_1h_input_tokens: sql<never>`sum(logs.cache_write_1h_input_tokens)`,
  output_tokens: sql<never>`sum(logs.output_tokens)`,
  cost: sql<never>`sum(logs.cost)`,
  uncollected: sql<never>`sum(logs.uncollected)`,
  upstream_cost: sql<never>`coalesce(sum(logs.upstream_cost), 0)`,
  unknown_cost_sales: sql<never>`sum(case when logs.upstream_cost is null then logs.cost else 0 end)`,
  unknown_cost_requests: sql<never>`sum(case when logs.upstream_cost is null then 1 else 0 end)`,
}

/** The last row behind `after` that may be added up: at most `limit` further on, and none that is as young as `young` (epoch ms). */
export async function lastSettled(db: Tx, after: number, limit: number, young: number): Promise<number> {
  const ahead = db
    .selectFrom('logs')
    .where('id', '>', after)
    .where('id', '<=', after + limit)
  const first = await ahead
    .select((row) => row.fn.min<number | null>('id').as('id'))
    .where('created_at', '>', young)
    .executeTakeFirst()
  if (first?.id !== null && first?.id !== undefined) return first.id - 1
  const last = await ahead.select((row) => row.fn.max<number | null>('id').as('id')).executeTakeFirst()
  if (last?.id !== null && last?.id !== undefined) return last.id
  // A gap in the numbers as long as a step: a database that handed out numbers and took them back.
  const next = await db.selectFrom('logs').select('id').where('id', '>', after).orderBy('id').limit(1).executeTakeFirst()
  return next === undefined ? after : next.id - 1
}

/** Adds the rows `after` < id <= `upTo` to their days. */
export async function addToTotals(tx: Tx, after: number, upTo: number): Promise<void> {
  const columns = [...keys, ...counts]
  await tx
    .insertInto('daily_totals')
    .columns(columns)
    .expression(
      tx
        .selectFrom('logs')
        .where('logs.id', '>', after)
        .where('logs.id', '<=', upTo)
        .select(columns.map((name) => ofLogs[name].as(name)))
        .groupBy(keys.map((name) => ofLogs[name])),
    )
    .onConflict((on) =>
      on
        .columns([...keys])
        .doUpdateSet(Object.fromEntries(counts.map((name) => [name, sql`daily_totals.${sql.ref(name)} + excluded.${sql.ref(name)}`]))),
    )
    .execute()
}

interface Range {
  fromDay: number
  toDay: number
}

/** Sums of whole days from the totals, by what is asked for. */
export function selectTotals(db: Tx, { fromDay, toDay }: Range, groups: readonly Group[], limit: number): Promise<TotalRow[]> {
  const by = columnsOf(groups)
  let rows = db
    .selectFrom('daily_totals')
    .where('day', '>=', fromDay)
    .where('day', '<=', toDay)
    .select(counts.map((name) => sql<never>`sum(${sql.ref(name)})`.as(name)))
    .select(keysFor(groups, (name) => sql.ref(name)))
  for (const name of by) rows = rows.groupBy(name).orderBy(name)
  return rows.limit(limit).execute() as unknown as Promise<TotalRow[]>
}

/** The days from one on that have calls of the channel whose model has this in its name, whatever the case. */
export async function selectDaysOfModel(db: Tx, channelId: number, modelText: string, fromDay: number): Promise<number[]> {
  const rows = db
    .selectFrom('daily_totals')
    .where('day', '>=', fromDay)
    .where('channel_id', '=', channelId)
    .where(contains(['model_name'], modelText))
    .select('day')
    .distinct()
  return (await rows.execute()).map(({ day }) => day)
}

/** The same of the log rows that are not in the totals yet. */
export function selectTail(db: Tx, { fromDay, toDay }: Range, after: number, groups: readonly Group[]): Promise<TotalRow[]> {
  const by = columnsOf(groups)
  const rows = db
    .selectFrom('logs')
    .where('logs.id', '>', after)
    .where('logs.created_at', '>=', fromDay * 86_400_000)
    .where('logs.created_at', '<', (toDay + 1) * 86_400_000)
    .select(counts.map((name) => ofLogs[name].as(name)))
    .select(keysFor(groups, (name) => ofLogs[name]))
    .groupBy(by.map((name) => ofLogs[name]))
  return rows.execute() as unknown as Promise<TotalRow[]>
}

type Key = 'day' | 'channel_id' | 'model_name'
const keyOf = { day: 'day', channel: 'channel_id', model: 'model_name' } as const satisfies Record<Group, Key>

function columnsOf(groups: readonly Group[]): Key[] {
  return groups.map((group) => keyOf[group])
}

function keysFor(groups: readonly Group[], column: (name: Key) => RawBuilder<unknown>) {
  const by = columnsOf(groups)
  return (['day', 'channel_id', 'model_name'] as const).map((name) => (by.includes(name) ? column(name) : sql`null`).as(name))
}

/** Names of all channels by number. */
export async function channelNames(db: Tx): Promise<Map<number, string>> {
  return new Map((await db.selectFrom('channels').select(['id', 'name']).execute()).map(({ id, name }) => [id, name]))
}

/** A channel's use of a day and model of the upstream; cache writes of both kinds together. */
export interface ChannelTotalRow {
  day: number
  model: string
  requests: number
  input_tokens: number
  cached_input_tokens: number
  cache_write_input_tokens: number
  output_tokens: number
  upstream_cost: Money
}

const writes = sql<number>`sum(cache_write_input_tokens + cache_write_1h_input_tokens)`.as('cache_write_input_tokens')

export function selectChannelTotals(db: Tx, channelId: number, { fromDay, toDay }: Range): Promise<ChannelTotalRow[]> {
  return db
    .selectFrom('daily_totals')
    .where('channel_id', '=', channelId)
    .where('day', '>=', fromDay)
    .where('day', '<=', toDay)
    .select([
      'day',
      'upstream_model_name as model',
      sql<number>`sum(requests)`.as('requests'),
      sql<number>`sum(input_tokens)`.as('input_tokens'),
      sql<number>`sum(cached_input_tokens)`.as('cached_input_tokens'),
      writes,
      sql<number>`sum(output_tokens)`.as('output_tokens'),
      sql<Money>`sum(upstream_cost)`.as('upstream_cost'),
    ])
    .groupBy(['day', 'upstream_model_name'])
    .execute()
}

/** The same of the log rows that are not in the totals yet. */
export function selectChannelTail(db: Tx, channelId: number, { fromDay, toDay }: Range, after: number): Promise<ChannelTotalRow[]> {
  return db
    .selectFrom('logs')
    .where('logs.channel_id', '=', channelId)
    .where('logs.id', '>', after)
    .where('logs.created_at', '>=', fromDay * 86_400_000)
    .where('logs.created_at', '<', (toDay + 1) * 86_400_000)
    .select([
      ofLogs.day.as('day'),
      'upstream_model_name as model',
      ofLogs.requests.as('requests'),
      ofLogs.input_tokens.as('input_tokens'),
      ofLogs.cached_input_tokens.as('cached_input_tokens'),
      writes,
      ofLogs.output_tokens.as('output_tokens'),
      ofLogs.upstream_cost.as('upstream_cost'),
    ])
    .groupBy([ofLogs.day, 'upstream_model_name'])
    .execute()
}
