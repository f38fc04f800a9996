import type { Kysely } from 'kysely'

/** The audit log is asked who did something, and what happened to one thing. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.createIndex('audit_log_actor').on('audit_log').columns(['actor_user_id', 'id']).execute()
  await db.schema.createIndex('audit_log_object').on('audit_log').columns(['object_type', 'object_id', 'id']).execute()
}
