import type { Kysely } from 'kysely'

/**
 * Lists by key, channel and model find their calls through the usage buckets (features/logs/search.ts): each of these indexes made
 * every call dearer for the sake of lists that are rarely asked for.
 */
export async function up(db: Kysely<never>): Promise<void> {
  for (const name of ['api_key_id', 'channel_id', 'model_name']) await db.schema.dropIndex(`logs_${name}_id`).execute()
}
