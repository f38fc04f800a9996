import type { Kysely } from 'kysely'
import { columnsOf, type Engine } from '../columns.ts'

/** Routing: deadlines of a channel and of a model on it, hedging of a user channel, and the plan of each call in its row. */
export async function up(db: Kysely<never>, engine: Engine): Promise<void> {
  const { int } = columnsOf(engine)
  await db.schema.alterTable('channels').addColumn('first_byte_timeout_seconds', int).execute()
  await db.schema.alterTable('channel_models').addColumn('first_byte_timeout_seconds', int).execute()
  await db.schema.alterTable('user_channels').addColumn('hedge_delay_ms', int).execute()
  await db.schema
    .alterTable('logs')
    .addColumn('plan', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
}
