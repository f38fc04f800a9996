import type { Kysely } from 'kysely'
import { money, MONEY_ONE } from '../../contract/money.ts'
import type { Database } from './open.ts'
import type { Schema } from './schema.ts'

const ONE = money(MONEY_ONE)

/** The group and the user channel every installation begins with (contract.md 1.7); nothing is added beside existing ones. */
export async function seed(db: Database, now: number): Promise<void> {
  const stamp = { created_at: now, updated_at: now }
  await db.query.transaction().execute(async (tx) => {
    if ((await tx.selectFrom('groups').select('id').where('is_default', '=', 1).executeTakeFirst()) === undefined) {
      // Another process may be first.
      await tx.insertInto('groups').values({ name: 'user', multiplier: ONE, is_default: 1, ...stamp }).onConflict((on) => on.doNothing()).execute()
    }
    if ((await tx.selectFrom('user_channels').select('id').limit(1).executeTakeFirst()) === undefined) {
      await tx.insertInto('user_channels').values({
        name: 'default', description: 'Default user-facing channel', multiplier: ONE, routing_algorithm: 'priority', enabled: 1, ...stamp,
      }).onConflict((on) => on.doNothing()).execute()
    }
  })
}

/** Answers when the database can be reached. */
export async function ping(query: Kysely<Schema>): Promise<void> {
  await query.selectFrom('settings').select('key').limit(1).execute()
}
