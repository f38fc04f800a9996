import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import { columnsOf, table, type Engine } from '../columns.ts'

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull()

/** Authenticator apps and recovery codes, and when a session last proved who sits before it. */
export async function up(db: Kysely<never>, engine: Engine): Promise<void> {
  const c = columnsOf(engine)
  await table(db, engine, 'totp_secrets')
    .addColumn('id', c.int, c.id)
    .addColumn('user_id', c.int, required)
    .addColumn('sealed', 'text', required)
    .addColumn('last_step', c.int, required)
    .addColumn('confirmed_at', c.int)
    .addColumn('created_at', c.int, required)
    .addUniqueConstraint('totp_secrets_user_id_unique', ['user_id'])
    .execute()
  await table(db, engine, 'recovery_codes')
    .addColumn('id', c.int, c.id)
    .addColumn('user_id', c.int, required)
    .addColumn('code_hash', 'text', required)
    .addColumn('created_at', c.int, required)
    .addUniqueConstraint('recovery_codes_key_unique', ['user_id', 'code_hash'])
    .execute()
  await db.schema.alterTable('sessions').addColumn('verified_at', c.int).execute()
}
