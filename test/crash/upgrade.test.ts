import { afterEach, beforeEach, expect, test } from 'bun:test'
import { readDatabase, type DatabaseOptions } from '../../server/db/open.ts'
import { makeDatabase, testEngine } from '../database.ts'
import { killOpeners, opener } from './opener.ts'

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
  expect(await killOpeners(database, KILLS, 240)).toBeGreaterThan(0)
  const names = await applied()
  expect(new Set(names).size).toBe(names.length)
  expect(names.length).toBeGreaterThan(8)
  expect(await readDatabase(database, async (db) => (await db.selectFrom('logs').select('id').execute()).length)).toBe(0)
})

test(`R11: ${AT_ONCE} processes that start at once migrate once`, async () => {
  const all = Array.from({ length: AT_ONCE }, () => opener(database))
  const ends = await Promise.all(all.map(async ({ exited, stderr }) => ({ code: await exited, said: await new Response(stderr).text() })))
  // A SQLite file has one process: the others are told so.
  const refused = ends.filter(({ code }) => code !== 0)
  if (testEngine === 'sqlite') expect(refused.every(({ said }) => said.includes('another Tollgate process is using'))).toBe(true)
  else expect(refused).toEqual([])
  expect(refused.length).toBeLessThan(AT_ONCE)
  const names = await applied()
  expect(new Set(names).size).toBe(names.length)
})
