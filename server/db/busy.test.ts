import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, readDatabase, type Database } from './open.ts'

/* R7: readers and writers at the same time; what SQLite cannot do at once waits, and nobody is told that it is busy. */

const WRITERS = 8
/** promises.md R7 has 1,000 each; every commit is a flush to the disk. */
const EACH = process.env['TEST_FULL'] === '1' ? 1_000 : 100
const SETTING = 'site_name'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-test-'))
const options = { path: join(folder, 'test.db'), onError: (error: Error): never => expect.unreachable(error.message) }
let db: Database
beforeAll(async () => {
  db = await openDatabase(options)
  await db.query.insertInto('settings').values({ key: SETTING, value: '0', updated_at: 0 }).execute()
})
afterAll(async () => {
  await db.close()
  rmSync(folder, { recursive: true, force: true })
})

test(`R7: ${WRITERS} writers with ${EACH} read-then-write transactions each lose nothing and see no SQLITE_BUSY, a reader from outside neither`, async () => {
  const run = { over: false }
  const reader = (async (): Promise<number> => {
    let reads = 0
    for (let last = 0; !run.over; reads += 1) {
      const now = await readDatabase(options, async (query) =>
        Number((await query.selectFrom('settings').select('value').where('key', '=', SETTING).executeTakeFirstOrThrow()).value),
      )
      expect(now).toBeGreaterThanOrEqual(last)
      last = now
      await Bun.sleep(5)
    }
    return reads
  })()
  const write = async (): Promise<void> => {
    for (let index = 0; index < EACH; index += 1) {
      await db.query.transaction().execute(async (tx) => {
        const row = await tx.selectFrom('settings').select('value').where('key', '=', SETTING).executeTakeFirstOrThrow()
        await tx
          .updateTable('settings')
          .set({ value: String(Number(row.value) + 1) })
          .where('key', '=', SETTING)
          .execute()
      })
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, write))
  run.over = true
  expect(await reader).toBeGreaterThan(0)
  const row = await db.query.selectFrom('settings').select('value').where('key', '=', SETTING).executeTakeFirstOrThrow()
  expect(Number(row.value)).toBe(WRITERS * EACH)
})
