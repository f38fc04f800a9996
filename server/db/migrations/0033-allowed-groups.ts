import type { Kysely } from 'kysely'
import { columnsOf, table, type Engine } from '../columns.ts'

/** The groups a user channel is limited to get a row number and times, as clients expect of them (contract.md 2.5). */
export async function up(db: Kysely<never>, engine: Engine): Promise<void> {
  const c = columnsOf(engine)
  await table(db, engine, 'allowed_groups')
    .addColumn('id', c.int, c.id)
    .addColumn('user_channel_id', c.int, (column) => column.notNull())
    .addColumn('group_id', c.int, (column) => column.notNull())
    .addColumn('created_at', c.int, (column) => column.notNull())
    .addColumn('updated_at', c.int, (column) => column.notNull())
    .addUniqueConstraint('allowed_groups_user_channel_id_group_id_unique', ['user_channel_id', 'group_id'])
    .execute()
  const old = db.withTables<{
    user_channel_groups: { user_channel_id: number; group_id: number; created_at: number }
    allowed_groups: { user_channel_id: number; group_id: number; created_at: number; updated_at: number }
  }>()
  await old
    .insertInto('allowed_groups')
    .columns(['user_channel_id', 'group_id', 'created_at', 'updated_at'])
    .expression((from) =>
      from.selectFrom('user_channel_groups').select(['user_channel_id', 'group_id', 'created_at', 'created_at as updated_at']),
    )
    .execute()
  await db.schema.dropTable('user_channel_groups').execute()
}
