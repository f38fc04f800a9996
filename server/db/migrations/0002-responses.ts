import type { Kysely } from 'kysely'
import { columnsOf, table, type Engine } from '../columns.ts'

/** Which channel made which stored response, for its owner (`/v1/responses/{id}`). */
export async function up(db: Kysely<never>, engine: Engine): Promise<void> {
  const c = columnsOf(engine)
  await table(db, engine, 'responses')
    .addColumn('response_id', 'text', (column) => column.notNull())
    .addColumn('user_id', c.int, (column) => column.notNull())
    .addColumn('channel_id', c.int, (column) => column.notNull())
    .addColumn('model_name', 'text', (column) => column.notNull())
    .addColumn('created_at', c.int, (column) => column.notNull())
    .addPrimaryKeyConstraint('responses_pk', ['response_id', 'user_id'])
    .execute()
  await db.schema.createIndex('responses_created_at').on('responses').columns(['created_at']).execute()
}
