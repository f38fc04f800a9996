import { readConfig } from './config.ts'
import { checkBooks } from './features/books/service.ts'

/**
 * `npm run audit`: recomputes every call, balance, hold and quota from the rows, also beside a running server. Prints what
 * was checked; exits with 1 when anything differs.
 */
const config = readConfig()
const { differences, calls, entries, accounts, keys } = await checkBooks({
  path: config.dbPath,
  url: config.databaseUrl,
  onError: (error) => console.error(error.message),
})
console.log(`checked ${calls} calls, ${entries} ledger entries, ${accounts} accounts, ${keys} keys`)
for (const { what, id, expected, found } of differences) console.log(`DIFFERENCE ${what} ${id}: expected ${expected}, found ${found}`)
console.log(differences.length === 0 ? 'the books balance' : `${differences.length} difference(s)`)
process.exitCode = differences.length === 0 ? 0 : 1
