import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import { columnsOf, table, type Engine } from '../columns.ts'

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull()
const primaryKey = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.primaryKey().notNull()

/**
 * Signing in: what limits guesses across processes, mail that waits to be sent, sign-ins that are at an identity
 * provider, and which provider a subject belongs to (null: imported, from before it was known).
 */
export async function up(db: Kysely<never>, engine: Engine): Promise<void> {
  const c = columnsOf(engine)
  await table(db, engine, 'attempts')
    .addColumn('key', 'text', primaryKey)
    .addColumn('events', 'text', required)
    .addColumn('expires_at', c.int, required)
    .execute()
  await db.schema.createIndex('attempts_expires_at').on('attempts').columns(['expires_at']).execute()
  await table(db, engine, 'mails')
    .addColumn('id', c.int, c.id)
    .addColumn('kind', 'text', required)
    .addColumn('sealed', 'text', required)
    .addColumn('tries', c.int, required)
    .addColumn('next_try_at', c.int)
    .addColumn('deadline_at', c.int, required)
    .addColumn('outcome', 'text', required)
    .addColumn('error', 'text', required)
    .addColumn('created_at', c.int, required)
    .execute()
  await db.schema.createIndex('mails_next_try_at').on('mails').columns(['next_try_at']).execute()
  await table(db, engine, 'oidc_flows')
    .addColumn('id', 'text', primaryKey)
    .addColumn('user_id', c.int)
    .addColumn('sealed', 'text', required)
    .addColumn('expires_at', c.int, required)
    .addColumn('created_at', c.int, required)
    .execute()
  await db.schema.createIndex('oidc_flows_expires_at').on('oidc_flows').columns(['expires_at']).execute()
  await db.schema.alterTable('users').addColumn('oidc_issuer', 'text').execute()
}
