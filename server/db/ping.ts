import type { Database } from './open.ts'

/** Resolves when the database answers. */
export async function ping(db: Database): Promise<void> {
  await db.query.selectFrom('settings').select('key').limit(1).execute()
}
