import { sql, type RawBuilder } from 'kysely'
import { latencyBounds } from '../../../../contract/latency.ts'
import type { Money } from '../../../../contract/money.ts'
import type { Database } from '../../../db/open.ts'
import type { UsageCounts } from '../../../db/schema.ts'

type Tx = Database['query']
type Dimension = 'owner_id' | 'user_id' | 'api_key_id' | 'user_channel_id' | 'channel_id' | 'model_name'

export const QUARTER_MS = 900_000
export const DAY_MS = 86_400_000

/** What the rows of each kind are told apart by; every call is in one row of each kind and span. */
export const kinds = {
  site: [],
  model: ['model_name'],
  channel: ['user_channel_id', 'channel_id'],
  user: ['user_id'],
  own: ['owner_id', 'api_key_id', 'model_name'],
} as const satisfies Record<string, readonly Dimension[]>
export type Kind = keyof typeof kinds

const dimensions = ['owner_id', 'user_id', 'api_key_id', 'user_channel_id', 'channel_id', 'model_name'] as const

/** Each dimension, from a log row. */
export const ofLog: Record<Dimension, RawBuilder<unknown>> = {
  owner_id: sql`logs.user_id`,
  user_id: sql`logs.user_id`,
  api_key_id: sql`coalesce(logs.api_key_id, 0)`,
  user_channel_id: sql`coalesce(logs.user_channel_id, 0)`,
  channel_id: sql`coalesce(logs.channel_id, 0)`,
  model_name: sql`logs.model_name`,
}

const count = (condition: RawBuilder<unknown>): RawBuilder<unknown> => sql`sum(case when ${condition} then 1 else 0 end)`

/** One column for each place of a histogram; the condition leaves out rows whose time says nothing. */
function places(prefix: 'first' | 'whole', column: string, counts: RawBuilder<unknown>): [string, RawBuilder<unknown>][] {
  const value = sql.ref(column)
  const ends = [...latencyBounds, undefined]
  return ends.map((end, place) => {
    const low = place === 0 ? sql`1 = 1` : sql`${value} >= ${sql.lit(latencyBounds[place - 1])}`
    const high = end === undefined ? sql`1 = 1` : sql`${value} < ${sql.lit(end)}`
    return [`${prefix}_${place}`, count(sql`${counts} and ${low} and ${high}`)]
  })
}

/** Each count, from log rows. */
export const counts = {
  requests: count(sql`logs.parent_request_id is null`),
  parts: count(sql`logs.parent_request_id is not null`),
  errors: count(sql`logs.end_reason in ('upstream_error_before_content', 'upstream_error_after_content',
    'timeout_before_content', 'timeout_after_content', 'shutdown', 'crashed')`),
  abandoned: count(sql`logs.end_reason = 'client_gone'`),
  input_tokens: sql`sum(logs.input_tokens)`,
  output_tokens: sql`sum(logs.output_tokens)`,
  cached_input_tokens: sql`sum(logs.cached_input_tokens)`,
  cache_write_tokens: sql`sum(logs.cache_write_input_tokens + logs.cache_write_1h_input_tokens)`,
  reasoning_tokens: sql`sum(logs.reasoning_tokens)`,
  cost: sql`sum(logs.cost)`,
  uncollected: sql`sum(logs.uncollected)`,
  upstream_cost: sql`coalesce(sum(logs.upstream_cost), 0)`,
  unknown_cost_sales: sql`sum(case when logs.upstream_cost is null then logs.cost else 0 end)`,
  unknown_cost_requests: count(sql`logs.upstream_cost is null`),
  ...Object.fromEntries(places('first', 'logs.first_response_time_ms', sql`logs.first_response_time_ms is not null`)),
  ...Object.fromEntries(places('whole', 'logs.response_time_ms', sql`logs.end_reason = 'complete'`)),
} as unknown as Record<keyof UsageCounts, RawBuilder<unknown>>

export const countNames = Object.keys(counts) as (keyof UsageCounts)[]
const keyNames = ['kind', 'span', 'started_at', ...dimensions] as const

/** When the row's bucket begins. */
const startOf = (span: number): RawBuilder<unknown> => sql`logs.created_at - logs.created_at % ${sql.lit(span)}`

/** A group of calls that no kind tells apart, with the counts of all of them. */
type Group = Record<Dimension, string | number> & { started_at: number } & Record<keyof UsageCounts, number | bigint>

/** Rows of one statement: 47 values each, below SQLite's 32,766 parameters. */
const ROWS_OF_INSERT = 500

/**
 * Adds the rows `after` < id <= `upTo` to their buckets. The log is read once, grouped as finely as any kind needs; the buckets
 * of all kinds and spans are sums of those groups.
 */
export async function addToBuckets(tx: Tx, after: number, upTo: number): Promise<void> {
  const groups = (await groupsOf(tx).where('logs.id', '>', after).where('logs.id', '<=', upTo).execute()) as unknown as Group[]
  const buckets = new Map<string, Record<string, unknown>>()
  for (const group of groups)
    for (const kind of Object.keys(kinds) as Kind[]) for (const span of [QUARTER_MS, DAY_MS]) addGroup(buckets, group, kind, span)
  const rows = [...buckets.values()]
  for (let at = 0; at < rows.length; at += ROWS_OF_INSERT) {
    await tx
      .insertInto('usage_buckets')
      .values(rows.slice(at, at + ROWS_OF_INSERT) as never)
      .onConflict((on) =>
        on
          .columns([...keyNames])
          .doUpdateSet(
            Object.fromEntries(countNames.map((name) => [name, sql`usage_buckets.${sql.ref(name)} + excluded.${sql.ref(name)}`])),
          ),
      )
      .execute()
  }
}

/** Counts of calls by quarter of an hour and everything that some kind tells apart. */
function groupsOf(tx: Tx) {
  const start = startOf(QUARTER_MS)
  return tx
    .selectFrom('logs')
    .select([
      (start as RawBuilder<never>).as('started_at'),
      ...dimensions.filter((name) => name !== 'owner_id').map((name) => (ofLog[name] as RawBuilder<never>).as(name)),
      // A sum of integers is a decimal on PostgreSQL, which comes as text.
      ...countNames.map((name) => sql<never>`cast(${counts[name]} as bigint)`.as(name)),
    ])
    .groupBy([start, ...dimensions.filter((name) => name !== 'owner_id').map((name) => ofLog[name])] as never)
}

function addGroup(buckets: Map<string, Record<string, unknown>>, group: Group, kind: Kind, span: number): void {
  const own: readonly string[] = kinds[kind]
  const keys: Record<string, unknown> = { kind, span, started_at: group.started_at - (group.started_at % span) }
  for (const name of dimensions)
    keys[name] = own.includes(name) ? (name === 'owner_id' ? group.user_id : group[name]) : name === 'model_name' ? '' : 0
  const id = JSON.stringify(Object.values(keys))
  const bucket = buckets.get(id)
  if (!bucket) {
    for (const name of countNames) keys[name] = group[name]
    buckets.set(id, keys)
    return
  }
  for (const name of countNames) bucket[name] = plus(bucket[name] as number | bigint, group[name])
}

/** Money comes as bigint, counts as numbers. */
function plus(a: number | bigint, b: number | bigint): number | bigint {
  return typeof a === 'bigint' || typeof b === 'bigint' ? BigInt(a) + BigInt(b) : a + b
}

/** Takes away what is built anew from the log. */
export async function deleteBuckets(tx: Tx): Promise<void> {
  await tx.deleteFrom('usage_buckets').execute()
}

/**
 * The last row behind `after` that may be added up: at most `limit` rows further on, and none that is as young as `young`
 * (epoch ms).
 */
export async function lastToFold(db: Tx, after: number, limit: number, young: number): Promise<number> {
  const rows = await db.selectFrom('logs').select(['id', 'created_at']).where('id', '>', after).orderBy('id').limit(limit).execute()
  const first = rows.findIndex(({ created_at: at }) => at > young)
  return (first === -1 ? rows : rows.slice(0, first)).at(-1)?.id ?? after
}

/** Sums of a kind and span. */
export async function sumsOfBuckets(db: Tx, kind: Kind, span: number): Promise<Sums> {
  const row = await db
    .selectFrom('usage_buckets')
    .where('kind', '=', kind)
    .where('span', '=', span)
    .select([sumOf('requests'), sumOf('parts'), sumOf('input_tokens'), sumOf('output_tokens'), sumOf('cost')])
    .executeTakeFirstOrThrow()
  return row
}

/** The same from the log rows up to `upTo`. */
export async function sumsOfLogs(db: Tx, upTo: number): Promise<Sums> {
  const names = ['requests', 'parts', 'input_tokens', 'output_tokens', 'cost'] as const
  const row = await db
    .selectFrom('logs')
    .where('id', '<=', upTo)
    .select(names.map((name) => (counts[name] as RawBuilder<never>).as(name)))
    .executeTakeFirstOrThrow()
  return row
}

export interface Sums {
  requests: number | null
  parts: number | null
  input_tokens: number | null
  output_tokens: number | null
  cost: Money | null
}

function sumOf(name: keyof Sums) {
  return sql<never>`sum(${sql.ref(name)})`.as(name)
}
