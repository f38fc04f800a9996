import type { Deps } from '../../http/deps.ts'
import { oneAtATime, readMark, writeMark } from '../settings/service.ts'
import { addToTotals, lastSettled } from './store.ts'
import { nextTurn } from '../../lib/turn.ts'

/** How often new calls are added to their days; what came since is added up when a report is asked for. */
export const TOTALS_MS = 60_000
/** Log rows of one step: one transaction of a few milliseconds. */
const STEP = 2_000
/** Steps of one run at most: a long backlog is worked off over several runs. */
const MAX_STEPS = 250
/** With several processes a row with a smaller number may be committed after one with a larger: young rows wait. */
const LAG_MS = 30_000

/**
 * Adds calls to `daily_totals` (day in UTC, channel, model, the upstream's model), each row once: the mark says how far it
 * has come and moves in the same transaction.
 */
export async function addUpCalls(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const now = deps.clock.now()
    // Asked first without a lock: on a quiet site nothing is new.
    const before = await readMark(deps.db.query, 'mark.daily_totals')
    if ((await lastSettled(deps.db.query, before, 1, now - LAG_MS)) <= before) return
    const done = await deps.db.query.transaction().execute(async (tx) => {
      await oneAtATime(tx, now)
      const mark = await readMark(tx, 'mark.daily_totals')
      const upTo = await lastSettled(tx, mark, STEP, now - LAG_MS)
      if (upTo <= mark) return true
      await addToTotals(tx, mark, upTo)
      await writeMark(tx, 'mark.daily_totals', upTo, now)
      return false
    })
    if (done) return
    // Calls go on between two steps.
    await nextTurn()
  }
}
