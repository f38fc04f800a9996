import { afterEach, beforeEach, expect, test } from 'bun:test'
import { openDatabase, type DatabaseOptions } from '../../server/db/open.ts'
import { migrationNames } from '../../server/db/migrate.ts'
import { checkBooks } from '../../server/features/books/service.ts'
import { makeDatabase } from '../database.ts'
import { killOpeners } from './opener.ts'
import { moneyOf, released } from './released.ts'

/* R11, the small figures; upgrade.full.test.ts has the large ones. */

let database: DatabaseOptions
let remove: () => Promise<void>
beforeEach(async () => {
  ;({ options: database, remove } = await makeDatabase())
})
afterEach(() => remove())

/** The first, the middle and the last; the full test has all. */
const some = migrationNames.filter((_, index) => index === 0 || index === migrationNames.length >> 1 || index === migrationNames.length - 1)

test('R11: from released schemas with rows, the upgrade keeps each balance and entry, and the books are exact', async () => {
  for (const schema of some) {
    const { options, remove: away } = await makeDatabase()
    await released(options, schema, 100)
    const before = await moneyOf(options)
    const db = await openDatabase(options)
    await db.close()
    expect({ schema, money: await moneyOf(options) }).toEqual({ schema, money: before })
    expect({ schema, differences: (await checkBooks(options)).differences }).toEqual({ schema, differences: [] })
    await away()
  }
}, 30_000)

test('R11: killed five times in the middle of an upgrade with rows, it converges to the same money', async () => {
  await released(database, '0001-first', 2_000)
  const before = await moneyOf(database)
  expect(await killOpeners(database, 5, 150)).toBeGreaterThan(0)
  expect(await moneyOf(database)).toBe(before)
  const { differences, calls } = await checkBooks(database)
  expect([calls, differences]).toEqual([2_000, []])
}, 30_000)
