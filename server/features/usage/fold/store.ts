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

/** Adds the rows `after` < id <= `upTo` to their buckets. */
export async function addToBuckets(tx: Tx, after: number, upTo: number): Promise<void> {
  const columns = [...keyNames, ...countNames]
  for (const kind of Object.keys(kinds) as Kind[])
    for (const span of [QUARTER_MS, DAY_MS]) {
      await tx
        .insertInto('usage_buckets')
        .columns(columns)
        .expression(bucketsOf(tx, kind, span).where('logs.id', '>', after).where('logs.id', '<=', upTo))
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

/** Rows of `usage_buckets` as the log has them. */
export function bucketsOf(db: Tx, kind: Kind, span: number) {
  const own: readonly string[] = kinds[kind]
  const group = dimensions.filter((name) => own.includes(name))
  const keys: Record<string, RawBuilder<unknown>> = {
    kind: sql`${sql.lit(kind)}`,
    span: sql`${sql.lit(span)}`,
    started_at: startOf(span),
    ...Object.fromEntries(dimensions.map((name) => [name, own.includes(name) ? ofLog[name] : name === 'model_name' ? sql`''` : sql`0`])),
  }
  return db
    .selectFrom('logs')
    .select(
      [...keyNames.map((name) => [name, keys[name]] as const), ...countNames.map((name) => [name, counts[name]] as const)].map(
        ([name, value]) => (value as RawBuilder<never>).as(name),
      ),
    )
    .groupBy([startOf(span), ...group.map((name) => ofLog[name])] as never)
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
