// `npm test [-- part-of-a-path ...] [--full]`: checks, all tests on SQLite, those that depend on the engine again on PostgreSQL.
// The last line is `N passed, N failed, N skipped`.
import { runChecks } from './check.mjs'
import { ensureConsole } from './build.mjs'
import { ensureInstalled } from './npm.mjs'
import { startPostgres } from './postgres.mjs'
import { dependsOnEngine, needsPostgres, testFiles } from './test-files.mjs'
import { runLane } from './test-lane.mjs'

const MINUTE_MS = 60_000
/** Far above what a lane takes; a hanging one must still end before a CI run does. */
const LANE_TIMEOUT_MS = 20 * MINUTE_MS
/** The full lane holds soaks of half an hour. */
const FULL_LANE_TIMEOUT_MS = 120 * MINUTE_MS

const args = process.argv.slice(2)
const full = args.includes('--full')
const patterns = args.filter((arg) => !arg.startsWith('--'))
const total = { passed: 0, failed: 0, skipped: 0 }

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

try {
  await main()
} catch (error) {
  console.log(`FAIL ${error.message}`)
  total.failed++
}
const ran = total.passed + total.failed > 0
if (!ran) console.log('No test ran.')
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
// A pipe may still hold the last line.
process.exitCode = ran && total.failed === 0 ? 0 : 1

async function main() {
  ensureInstalled()
  const files = testFiles({ full, patterns })
  if (patterns.length === 0) {
    heading('Checks')
    add(await runChecks())
    if (!full) left(testFiles({ full: true, patterns: [] }).length - files.length, 'run with --full only')
  } else {
    console.log('Checks: left out, since only some tests were asked for')
  }
  if (files.length === 0) return
  ensureConsole()
  const env = full ? { TEST_FULL: '1' } : {}
  const timeoutMs = full ? FULL_LANE_TIMEOUT_MS : LANE_TIMEOUT_MS

  const onSqlite = files.filter((file) => !needsPostgres(file))
  heading(`SQLite: ${onSqlite.length} files`)
  left(files.length - onSqlite.length, 'of PostgreSQL alone')
  if (onSqlite.length > 0) add(await runLane(onSqlite, { env: { ...env, TEST_DATABASE: 'sqlite' }, timeoutMs }))

  const onBoth = files.filter((file) => needsPostgres(file) || dependsOnEngine(file))
  heading(`PostgreSQL: ${onBoth.length} files`)
  left(files.length - onBoth.length, 'no database of the engine under test touched, once is enough')
  if (onBoth.length > 0)
    await withPostgres(
      (url) => runLane(onBoth, { env: { ...env, TEST_DATABASE: 'postgres', TEST_DATABASE_URL: url }, timeoutMs }),
      onBoth.length,
    )
}

/** Runs on the server of TEST_DATABASE_URL, or on a throw-away one. Without one it is a failure in CI and a skip elsewhere. */
async function withPostgres(run, fileCount) {
  const given = process.env.TEST_DATABASE_URL
  if (given) return add(await run(given))
  let postgres
  try {
    postgres = await startPostgres({ from: process.env.TEST_POSTGRES })
  } catch (error) {
    const outcome = process.env.CI ? 'FAIL' : 'skipped'
    console.log(`${outcome}: ${fileCount} files on PostgreSQL: ${error.message}`)
    return add(process.env.CI ? { failed: 1 } : { skipped: fileCount })
  }
  console.log(postgres.version)
  try {
    add(await run(postgres.url))
  } finally {
    await postgres.stop()
  }
}

function add(counts) {
  for (const [name, count] of Object.entries(counts)) total[name] += count
}

function heading(text) {
  console.log(`\n${text}`)
}

function left(count, reason) {
  if (count > 0) console.log(`${count === 1 ? '1 file' : `${count} files`}: ${reason}`)
}
