import { sql, type Kysely } from 'kysely'

/** Calls that a meta model made: which one, as what, and the call they are parts of. */
export async function up(db: Kysely<never>): Promise<void> {
  for (const name of ['meta_model', 'meta_role', 'audit_label'])
    await db.schema
      .alterTable('logs')
      .addColumn(name, 'text', (column) => column.notNull().defaultTo(''))
      .execute()
  await db.schema.alterTable('logs').addColumn('parent_request_id', 'text').execute()
  // Few calls have parts: the others cost the index nothing.
  await db.schema
    .createIndex('logs_parent_request_id')
    .on('logs')
    .column('parent_request_id')
    .where(sql.ref('parent_request_id'), 'is not', null)
    .execute()
}
