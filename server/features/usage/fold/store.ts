import { sql, type RawBuilder, type Selectable } from 'kysely'
import { latencyBounds } from '../../../../contract/latency.ts'
import type { Money } from '../../../../contract/money.ts'
import type { Engine } from '../../../db/columns.ts'
import type { Database } from '../../../db/open.ts'
import type { LogTable, UsageCounts } from '../../../db/schema.ts'

type Tx = Database['query']
type Dimension = 'owner_id' | 'user_id' | 'api_key_id' | 'user_channel_id' | 'channel_id' | 'model_name'

/** What the rows of each kind are told apart by; every call is in one row of each kind and span. */
export const kinds = {
  site: [],
  model: ['model_name'],
  channel: ['user_channel_id', 'channel_id'],
  user: ['user_id'],
  own: ['owner_id', 'api_key_id', 'model_name'],
} as const satisfies Record<string, readonly Dimension[]>
export type Kind = keyof typeof kinds

export const dimensions = ['owner_id', 'user_id', 'api_key_id', 'user_channel_id', 'channel_id', 'model_name'] as const

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

const foldedColumns = [
  'id',
  'created_at',
  'user_id',
  'api_key_id',
  'user_channel_id',
  'channel_id',
  'model_name',
  'parent_request_id',
  'end_reason',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'cache_write_input_tokens',
  'cache_write_1h_input_tokens',
  'reasoning_tokens',
  'cost',
  'uncollected',
  'upstream_cost',
  'first_response_time_ms',
  'response_time_ms',
] as const

/** What of a call is added up. */
export type FoldedRow = Pick<Selectable<LogTable>, (typeof foldedColumns)[number]>

/** The next rows behind `after` that may be added up: none from the first on that is as young as `young` (epoch ms). */
export async function rowsToFold(db: Tx, after: number, limit: number, young: number): Promise<FoldedRow[]> {
  const rows = await db.selectFrom('logs').select(foldedColumns).where('id', '>', after).orderBy('id').limit(limit).execute()
  const first = rows.findIndex(({ created_at: at }) => at > young)
  return first === -1 ? rows : rows.slice(0, first)
}

/** When the row was written that lies `rows` behind `after`, or the first behind it; undefined: there is none. */
export async function timeBehind(db: Tx, after: number, rows: number): Promise<number | undefined> {
  const row = await db
    .selectFrom('logs')
    .select('created_at')
    .where('id', '>', after)
    .orderBy('id')
    .limit(1)
    .offset(rows)
    .executeTakeFirst()
  return row?.created_at
}

const columnNames = [...keyNames, ...countNames]
const columnList = sql.join(columnNames.map((name) => sql.ref(name)))
const onConflict = sql`on conflict (${sql.join(keyNames.map((name) => sql.ref(name)))}) do update set ${sql.join(
  countNames.map((name) => sql`${sql.ref(name)} = usage_buckets.${sql.ref(name)} + excluded.${sql.ref(name)}`),
)}`

/** Adds rows of the table, none of them twice, to what is there. One text for all of them: nothing is compiled per row. */
export async function addToBuckets(tx: Tx, engine: Engine, rows: Iterable<(string | number | bigint)[]>): Promise<void> {
  if (engine === 'sqlite') {
    const places = sql.join(columnNames.map(() => sql.val(0)))
    const insert = sql`insert into usage_buckets (${columnList}) values (${places}) ${onConflict}`.compile(tx)
    for (const parameters of rows) await tx.executeQuery({ ...insert, parameters })
    return
  }
  // Zeros, which most counts are, are left out.
  const json = JSON.stringify([...rows].map((values) => Object.fromEntries(given(values))))
  const counted = sql.join(countNames.map((name) => sql`coalesce(${sql.ref(name)}, 0)`))
  await sql`insert into usage_buckets (${columnList})
    select ${sql.join(keyNames.map((name) => sql.ref(name)))}, ${counted}
    from json_populate_recordset(null::usage_buckets, ${json}::json) ${onConflict}`.execute(tx)
}

function* given(values: readonly (string | number | bigint)[]): Generator<[string, string | number]> {
  for (const [index, name] of columnNames.entries()) {
    const value = values[index] ?? 0
    if (index < keyNames.length || (value !== 0 && value !== 0n)) yield [name, typeof value === 'bigint' ? value.toString() : value]
  }
}

/** Takes away what is built anew from the log. */
export async function deleteBuckets(tx: Tx): Promise<void> {
  await tx.deleteFrom('usage_buckets').execute()
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
