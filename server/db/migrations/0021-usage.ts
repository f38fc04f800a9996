import { sql, type ColumnDefinitionBuilder, type Kysely } from 'kysely'
import { columnsOf, table, type Engine } from '../columns.ts'

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull()

/** Histogram places of a latency: contract/latency.ts. */
const PLACES = 12

/** What was used by quarter of an hour and by day, and the indexes that the lists of calls are filtered by. */
export async function up(db: Kysely<never>, engine: Engine): Promise<void> {
  const c = columnsOf(engine)
  let usage = table(db, engine, 'usage_buckets')
    .addColumn('kind', 'text', required)
    .addColumn('span', c.int, required)
    .addColumn('owner_id', c.int, required)
    .addColumn('started_at', c.int, required)
    .addColumn('user_id', c.int, required)
    .addColumn('api_key_id', c.int, required)
    .addColumn('user_channel_id', c.int, required)
    .addColumn('channel_id', c.int, required)
    .addColumn('model_name', 'text', required)
  const counts = [
    'requests',
    'parts',
    'errors',
    'abandoned',
    'input_tokens',
    'output_tokens',
    'cached_input_tokens',
    'cache_write_tokens',
    'reasoning_tokens',
    'cost',
    'uncollected',
    'upstream_cost',
    'unknown_cost_sales',
    'unknown_cost_requests',
    ...Array.from({ length: PLACES }, (_, index) => `first_${index}`),
    ...Array.from({ length: PLACES }, (_, index) => `whole_${index}`),
  ]
  for (const name of counts) usage = usage.addColumn(name, c.int, required)
  // Rows of a kind and span lie together in the order of time: a chart reads one stretch.
  usage = usage.addPrimaryKeyConstraint('usage_buckets_key', [
    'kind',
    'span',
    'owner_id',
    'started_at',
    'user_id',
    'api_key_id',
    'user_channel_id',
    'channel_id',
    'model_name',
  ])
  await (engine === 'sqlite' ? usage.modifyEnd(sql`, without rowid`) : usage).execute()
  for (const name of ['api_key_id', 'channel_id', 'model_name'])
    await db.schema.createIndex(`logs_${name}_id`).on('logs').columns([name, 'id']).execute()
  // What ended otherwise than most calls do; the others cost the index nothing.
  await db.schema
    .createIndex('logs_end_reason_id')
    .on('logs')
    .columns(['end_reason', 'id'])
    .where(sql.ref('end_reason'), '<>', sql.lit('complete'))
    .execute()
}
