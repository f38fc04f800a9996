import { afterAll, beforeAll, expect, test } from 'bun:test'
import { earnCommissions } from '../../server/features/referrals/earn.ts'
import { addUpCalls } from '../../server/features/reports/totals.ts'
import { readMark } from '../../server/features/settings/service.ts'
import { foldUsage } from '../../server/features/usage/fold.ts'
import { createTestApp, type TestApp } from '../app.ts'
import { addRows, logRow } from '../log-rows.ts'

/* SQLite answers within the turn that asks: work on many rows must let calls in between its steps. */

const ROWS = 4_500
const MINUTE = 60_000
let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
  const now = app.clock.now()
  await addRows(
    app.deps.db,
    Array.from({ length: ROWS }, (_, n) => logRow(now - 10 * MINUTE + n, { model_name: `m${n % 4}` })),
  )
})
afterAll(() => app.close())

/** How often something else that waited had its turn meanwhile. */
async function turnsDuring(run: () => Promise<void>): Promise<number> {
  let turns = 0
  let running = true
  const count = (): void => {
    turns += 1
    if (running) setImmediate(count)
  }
  setImmediate(count)
  await run()
  running = false
  return turns
}

test.each([
  ['usage', 'mark.usage', () => foldUsage(app.deps), ROWS / 200],
  ['daily totals', 'mark.daily_totals', () => addUpCalls(app.deps), ROWS / 2_000],
  ['commissions', 'mark.referral_logs', () => earnCommissions(app.deps), ROWS / 500],
] as const)('%s (%s) of thousands of calls are added up a step at a time', async (_, mark, run, steps) => {
  expect(await turnsDuring(run)).toBeGreaterThanOrEqual(Math.floor(steps))
  expect(await readMark(app.deps.db.query, mark)).toBe(ROWS)
})
