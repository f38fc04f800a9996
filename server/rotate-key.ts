import { keyRotation } from './config.ts'
import { openDatabase } from './db/open.ts'
import { resealAll } from './features/sealed/service.ts'
import { SecretBox } from './lib/secret-box.ts'

/**
 * `npm run rotate-key`: seals every stored secret with a new key. Every server on the database has to be stopped. With ENCRYPTION_KEY in
 * the environment the new one is NEW_ENCRYPTION_KEY, and is to be put in its place afterwards; else the kept one is replaced.
 */
const { config, from, to, finish } = keyRotation()
const db = await openDatabase({ path: config.dbPath, url: config.databaseUrl, onError: (error) => console.error(error.message) })
const { sealed, already } = await resealAll(db, new SecretBox(from), new SecretBox(to))
await db.close()
console.log(`${sealed} secrets are sealed with the new key${already > 0 ? `, ${already} were already` : ''}`)
console.log(finish())
