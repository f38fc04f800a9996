import type { Deps } from '../../http/deps.ts'
import { oneAtATime, readMark, writeMark } from '../settings/service.ts'
import { Buckets } from './fold/buckets.ts'
import { addToBuckets, rowsToFold, timeBehind } from './fold/store.ts'
import { nextTurn } from '../../lib/turn.ts'

/** How often it is looked whether calls are due to be added up. */
export const FOLD_MS = 1_000
/** Calls are added up when so many wait, or the first has waited so long: the more at once, the fewer rows are written for each. */
const DUE_ROWS = 2_000
const DUE_MS = 15_000
/** Rows of one read: a millisecond or two. */
const READ = 200
/** Rows of buckets that one transaction writes: some ten milliseconds, so that no charge waits long for it. */
const MAX_WRITTEN = 1_500
/** Steps of one run at most: a long backlog is worked off over several runs. */
const MAX_STEPS = 100
/** On PostgreSQL a row with a smaller number may be committed after one with a larger: young rows wait. SQLite has one writer. */
const LAG_MS = { sqlite: 0, postgres: 30_000 }

/** Adds calls up when they are due; what is not yet in the buckets is added at reading, so nothing waits for it. */
export async function foldDue(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  const { db, clock } = deps
  const mark = await readMark(db.query, 'mark.usage')
  const young = clock.now() - LAG_MS[db.engine]
  const first = await timeBehind(db.query, mark, 0)
  if (first === undefined || first > young) return
  const last = first <= young - DUE_MS ? first : await timeBehind(db.query, mark, DUE_ROWS)
  if (last !== undefined && last <= young) await foldUsage(deps)
}

/** Adds all calls to the usage buckets, each exactly once: the mark says how far it has come and moves in the same transaction. */
export async function foldUsage(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  const { db, clock } = deps
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const mark = await readMark(db.query, 'mark.usage')
    // Rows do not change once they are written: they are read and added up without a lock.
    const young = clock.now() - LAG_MS[db.engine]
    const buckets = new Buckets()
    let upTo = mark
    while (buckets.size < MAX_WRITTEN) {
      // Calls go on between two reads.
      if (upTo > 0) await nextTurn()
      const rows = await rowsToFold(db.query, upTo, READ, young)
      for (const row of rows) {
        buckets.add(row)
        upTo = row.id
        if (buckets.size >= MAX_WRITTEN) break
      }
      if (rows.length < READ) break
    }
    if (upTo === mark) return
    await db.query.transaction().execute(async (tx) => {
      await oneAtATime(tx, clock.now())
      // Another process was quicker: its rows are not added twice.
      if ((await readMark(tx, 'mark.usage')) !== mark) return
      await addToBuckets(tx, db.engine, buckets.rows())
      await writeMark(tx, 'mark.usage', upTo, clock.now())
    })
  }
}
