import type { Kysely } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import type { Engine } from './columns.ts'
import * as first from './migrations/0001-first.ts'
import * as responses from './migrations/0002-responses.ts'
import * as rewards from './migrations/0003-rewards.ts'
import * as routing from './migrations/0010-routing.ts'
import * as limits from './migrations/0011-limits.ts'
import * as budgets from './migrations/0012-budgets.ts'
import * as payments from './migrations/0013-payments.ts'
import * as signIn from './migrations/0014-sign-in.ts'
import * as secondFactor from './migrations/0015-second-factor.ts'
import * as metaCalls from './migrations/0016-meta-calls.ts'
import * as pricePreviews from './migrations/0020-price-previews.ts'
import * as usage from './migrations/0021-usage.ts'
import * as auditIndexes from './migrations/0029-audit-indexes.ts'
import * as logIndexes from './migrations/0030-log-indexes.ts'
import * as logArchive from './migrations/0031-log-archive.ts'
import * as allowedGroups from './migrations/0033-allowed-groups.ts'
import * as monitors from './migrations/0034-monitors.ts'
import * as logPayloads from './migrations/0035-log-payloads.ts'
import type { Schema } from './schema.ts'

/** In order; a released one is never edited. */
const migrations: Record<string, { up(db: Kysely<never>, engine: Engine): Promise<void> }> = {
  '0001-first': first,
  '0002-responses': responses,
  '0003-rewards': rewards,
  '0010-routing': routing,
  '0011-limits': limits,
  '0012-budgets': budgets,
  '0013-payments': payments,
  '0014-sign-in': signIn,
  '0015-second-factor': secondFactor,
  '0016-meta-calls': metaCalls,
  '0020-price-previews': pricePreviews,
  '0021-usage': usage,
  '0029-audit-indexes': auditIndexes,
  '0030-log-indexes': logIndexes,
  '0031-log-archive': logArchive,
  '0033-allowed-groups': allowedGroups,
  '0034-monitors': monitors,
  '0035-log-payloads': logPayloads,
}

/** Each is the schema of a release. */
export const migrationNames = Object.keys(migrations)

/**
 * Applies what is missing, each process waiting for the other's lock; run again after a break it goes on where it
 * stopped, because each engine's DDL is part of the transaction.
 * @param upTo the last one to apply, for an earlier release's schema
 * @throws Error of the migration that failed, by name
 */
export async function migrate(db: Kysely<Schema>, engine: Engine, upTo?: string): Promise<void> {
  const provider = {
    getMigrations: async (): Promise<Record<string, Migration>> =>
      Object.fromEntries(Object.entries(migrations).map(([name, { up }]) => [name, { up: (inner: Kysely<never>) => up(inner, engine) }])),
  }
  const migrator = new Migrator({ db, provider })
  const { error, results } = await (upTo === undefined ? migrator.migrateToLatest() : migrator.migrateTo(upTo))
  if (error === undefined) return
  const failed = results?.find((result) => result.status === 'Error')?.migrationName ?? 'the migration table'
  throw new Error(`migration failed at ${failed}`, { cause: error })
}
