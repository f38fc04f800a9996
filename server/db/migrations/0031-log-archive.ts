import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import { columnsOf, table, type Engine } from '../columns.ts'

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull()

/** Sums of the calls that left the log: with them the books can still be checked (features/logs/retention.ts). */
export async function up(db: Kysely<never>, engine: Engine): Promise<void> {
  const { int } = columnsOf(engine)
  let archive = table(db, engine, 'log_archive')
    .addColumn('account_id', int, required)
    .addColumn('api_key_id', int, required)
    .addColumn('reset_at', int, required)
  for (const name of ['requests', 'parts', 'input_tokens', 'output_tokens', 'charged', 'cost'])
    archive = archive.addColumn(name, int, required)
  await archive.addPrimaryKeyConstraint('log_archive_key', ['account_id', 'api_key_id', 'reset_at']).execute()
  await db.schema.createIndex('log_archive_api_key_id').on('log_archive').column('api_key_id').execute()
}
