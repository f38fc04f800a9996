import { afterEach, beforeEach, expect, test } from 'bun:test'
import { readDatabase, type DatabaseOptions } from '../../server/db/open.ts'
import { makeDatabase, testEngine } from '../database.ts'

/* R11: the schema is brought up to date once, whoever does it, and whatever stops them. */

/** promises.md R11. */
const KILLS = 20
const AT_ONCE = 4

let database: DatabaseOptions
let remove: () => Promise<void>
beforeEach(async () => {
  ;({ options: database, remove } = await makeDatabase())
})
afterEach(() => remove())

const OPEN = new URL('../../server/db/open.ts', import.meta.url).pathname
/** A process that opens the database, as a server does first of all, and ends. */
function opener(): Bun.Subprocess<'ignore', 'ignore', 'pipe'> {
  const options = JSON.stringify({ path: database.path, url: database.url })
  const program = `const { openDatabase } = await import('${OPEN}'); const db = await openDatabase({ ...${options}, onError() {} }); await db.close()`
  return Bun.spawn([process.execPath, '-e', program], { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' })
}

/** Names of what was applied, in order. */
function applied(): Promise<string[]> {
  return readDatabase(database, async (db) => {
    const rows = await db
      .withTables<{ kysely_migration: { name: string } }>()
      .selectFrom('kysely_migration')
      .select('name')
      .orderBy('name')
      .execute()
    return rows.map(({ name }) => name)
  })
}

test(`R11: killed ${KILLS} times in the middle, the migration goes on where it stopped and ends with the whole schema`, async () => {
  let killed = 0
  for (let round = 0; round < KILLS; round += 1) {
    const process = opener()
    // From before the first statement to past the last one.
    await Promise.race([process.exited, Bun.sleep(60 + round * 12)])
    if (process.exitCode === null) killed += 1
    process.kill('SIGKILL')
    await process.exited
  }
  expect(killed).toBeGreaterThan(0)
  const last = opener()
  expect(await last.exited, await new Response(last.stderr).text()).toBe(0)
  const names = await applied()
  expect(new Set(names).size).toBe(names.length)
  expect(names.length).toBeGreaterThan(8)
  expect(await readDatabase(database, async (db) => (await db.selectFrom('logs').select('id').execute()).length)).toBe(0)
})

test(`R11: ${AT_ONCE} processes that start at once migrate once`, async () => {
  const all = Array.from({ length: AT_ONCE }, opener)
  const ends = await Promise.all(all.map(async ({ exited, stderr }) => ({ code: await exited, said: await new Response(stderr).text() })))
  // A SQLite file has one process: the others are told so.
  const refused = ends.filter(({ code }) => code !== 0)
  if (testEngine === 'sqlite') expect(refused.every(({ said }) => said.includes('another Tollgate process is using'))).toBe(true)
  else expect(refused).toEqual([])
  expect(refused.length).toBeLessThan(AT_ONCE)
  const names = await applied()
  expect(new Set(names).size).toBe(names.length)
})
