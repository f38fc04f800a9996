import { afterAll, beforeAll, expect, test } from 'bun:test'
import { ManualClock } from '../../../test/clock.ts'
import { openTestDatabase, type TestDatabase } from '../../../test/database.ts'
import { addRows, logRow } from '../../../test/log-rows.ts'
import { readMark } from '../settings/service.ts'
import { foldDue } from './fold.ts'

const clock = new ManualClock(Date.UTC(2026, 10, 23, 12))
/** The wait of few calls, and what PostgreSQL waits for all. */
const LONG = 50_000
let made: TestDatabase
beforeAll(async () => {
  made = await openTestDatabase()
})
afterAll(() => made.drop())

const mark = (): Promise<number> => readMark(made.db.query, 'mark.usage')
const due = (): Promise<void> => foldDue({ db: made.db, clock })

test('few calls wait for others for a while, many are added up at once; nothing is written when nothing is new', async () => {
  await due()
  expect(await mark()).toBe(0)
  await addRows(made.db, [logRow(clock.now()), logRow(clock.now())])
  clock.advance(1_000)
  await due()
  expect(await mark()).toBe(0)
  clock.advance(LONG)
  await due()
  expect(await mark()).toBe(2)
  const at = clock.now() - (made.db.engine === 'postgres' ? 31_000 : 0)
  await addRows(
    made.db,
    Array.from({ length: 2_001 }, (_, n) => logRow(at, { model_name: `m${n % 7}`, user_id: n % 3 })),
  )
  await due()
  expect(await mark()).toBe(2_003)
  const counted = await made.db.query
    .selectFrom('usage_buckets')
    .select(['kind', 'span', (row) => row.fn.sum<number>('requests').as('requests')])
    .groupBy(['kind', 'span'])
    .execute()
  expect(counted).toHaveLength(10)
  for (const { requests } of counted) expect(requests).toBe(2_003)
})
