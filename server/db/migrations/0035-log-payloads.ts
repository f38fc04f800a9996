import type { Kysely } from 'kysely'
import { columnsOf, table, type Engine } from '../columns.ts'

/** What customers asked and were answered, where the owner records it; sealed, and gone before the call's own row. */
export async function up(db: Kysely<never>, engine: Engine): Promise<void> {
  const { int } = columnsOf(engine)
  await table(db, engine, 'log_payloads')
    .addColumn('log_id', int, (column) => column.primaryKey())
    .addColumn('user_id', int, (column) => column.notNull())
    .addColumn('sealed', 'text', (column) => column.notNull())
    .addColumn('created_at', int, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('log_payloads_user').on('log_payloads').column('user_id').execute()
  await db.schema.createIndex('log_payloads_created').on('log_payloads').column('created_at').execute()
}
