import type { Kysely } from 'kysely'
import { columnsOf, table, type Engine } from '../columns.ts'

/** What the scheduled reading of a channel's price list found, until the next one. */
export async function up(db: Kysely<never>, engine: Engine): Promise<void> {
  const { int } = columnsOf(engine)
  await table(db, engine, 'price_previews')
    .addColumn('channel_id', int, (column) => column.primaryKey())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('items', 'text', (column) => column.notNull())
    .addColumn('skipped', int, (column) => column.notNull())
    .addColumn('error', 'text', (column) => column.notNull())
    .addColumn('fetched_at', int)
    .addColumn('tried_at', int, (column) => column.notNull())
    .execute()
}
