import { expect, test } from 'bun:test'
import { migrationNames } from '../../server/db/migrate.ts'
import { checkBooks } from '../../server/features/books/service.ts'
import { makeDatabase, testEngine } from '../database.ts'
import { killOpeners, opener } from './opener.ts'
import { moneyOf, released } from './released.ts'

/* R11 at its figures: every released schema, 100,000 calls, 20 kills. */

const CALLS = 100_000
const KILLS = 20
/** Kills are spread over this time: an upgrade with these rows takes some hundred milliseconds. */
const SPREAD_MS = 600

for (const schema of migrationNames)
  test(`R11: from ${schema} with ${CALLS} calls, killed ${KILLS} times, the upgrade ends with the same money and exact books`, async () => {
    const { options, remove } = await makeDatabase()
    await released(options, schema, CALLS)
    const before = await moneyOf(options)
    await killOpeners(options, KILLS, SPREAD_MS)
    expect(await moneyOf(options)).toBe(before)
    const { calls, differences } = await checkBooks(options)
    expect([calls, differences]).toEqual([CALLS, []])
    await remove()
  }, 120_000)

test('R11: two processes that start at once on the first schema with rows upgrade it once', async () => {
  const { options, remove } = await makeDatabase()
  await released(options, '0001-first', CALLS)
  const before = await moneyOf(options)
  const ends = await Promise.all(
    [opener(options), opener(options)].map(async ({ exited, stderr }) => ({ code: await exited, said: await new Response(stderr).text() })),
  )
  // A SQLite file has one process: the other is told so.
  for (const { code, said } of ends) if (code !== 0) expect([testEngine, said]).toEqual(['sqlite', expect.stringContaining('is using')])
  expect(ends.some(({ code }) => code === 0)).toBe(true)
  expect(await moneyOf(options)).toBe(before)
  expect((await checkBooks(options)).differences).toEqual([])
  await remove()
}, 120_000)
