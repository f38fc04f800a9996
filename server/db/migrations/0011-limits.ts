import type { Kysely } from 'kysely'
import { columnsOf, type Engine } from '../columns.ts'

/** Requests and tokens a minute and calls at once of whatever can be limited; null: no limit. Keys had the first already. */
export async function up(db: Kysely<never>, engine: Engine): Promise<void> {
  const { int } = columnsOf(engine)
  for (const name of ['users', 'groups', 'channels', 'channel_models', 'api_keys']) {
    for (const column of ['rate_limit_rpm', 'rate_limit_tpm', 'rate_limit_concurrency']) {
      if (name === 'api_keys' && column === 'rate_limit_rpm') continue
      await db.schema.alterTable(name).addColumn(column, int).execute()
    }
  }
}
