import { readConfig } from './config.ts'
import { openDatabase } from './db/open.ts'
import { rebuildUsage } from './features/usage/rebuild.ts'
import { systemClock } from './lib/clock.ts'

/**
 * `npm run rebuild-usage`: adds up every call of the log again. On SQLite the server has to be stopped, on PostgreSQL it may run;
 * charts are right meanwhile, and slower.
 */
const config = readConfig()
const db = await openDatabase({ path: config.dbPath, url: config.databaseUrl, onError: (error) => console.error(error.message) })
await rebuildUsage({ db, clock: systemClock })
await db.close()
console.log('usage is added up anew')
