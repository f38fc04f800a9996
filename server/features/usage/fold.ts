import type { Deps } from '../../http/deps.ts'
import { oneAtATime, readMark, writeMark } from '../settings/service.ts'
import { addToBuckets, lastToFold } from './fold/store.ts'

/** How often new calls are added up; what is not yet in the buckets is added at reading, so nothing waits for it. */
export const FOLD_MS = 1_000
/** Rows of one transaction: below 50 ms even where each has buckets of its own, so that no charge waits long for it. */
const STEP = 500
/** Steps of one run at most: a long backlog is worked off over several runs. */
const MAX_STEPS = 100
/** On PostgreSQL a row with a smaller number may be committed after one with a larger: young rows wait. SQLite has one writer. */
const LAG_MS = { sqlite: 0, postgres: 30_000 }

/** Adds calls to the usage buckets, each exactly once: the mark says how far it has come and moves in the same transaction. */
export async function foldUsage(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  const { db, clock } = deps
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const now = clock.now()
    // Calls go on between two steps.
    if (step > 0) await new Promise((resolve) => setImmediate(resolve))
    // Asked first without a lock: mostly nothing is new.
    const young = now - LAG_MS[db.engine]
    const before = await readMark(db.query, 'mark.usage')
    if ((await lastToFold(db.query, before, 1, young)) === before) return
    await db.query.transaction().execute(async (tx) => {
      await oneAtATime(tx, now)
      const mark = await readMark(tx, 'mark.usage')
      const upTo = await lastToFold(tx, mark, STEP, young)
      if (upTo <= mark) return
      await addToBuckets(tx, mark, upTo)
      await writeMark(tx, 'mark.usage', upTo, now)
    })
  }
}
