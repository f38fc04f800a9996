import type { Deps } from '../../http/deps.ts'
import { oneAtATime, readMark, writeMark } from '../settings/service.ts'
import { archiveRows, newestId, oldestRows } from './retention/store.ts'
import { DAY_MS } from '../../lib/clock.ts'
import { nextTurn } from '../../lib/turn.ts'

/** How often it is looked for calls that may leave the log. */
export const RETENTION_MS = 1_000
/** Rows of one step: a transaction of a few milliseconds, so that no call waits long for it. */
const STEP = 200
/** Steps of one run: four thousand rows a second at most, which is more than any site writes. */
const MAX_STEPS = 20

/** All that read the log behind a mark of theirs: no row leaves before they have seen it. */
const readers = ['mark.usage', 'mark.daily_totals', 'mark.referral_logs'] as const

/**
 * Deletes the oldest calls by the settings of age and size, a few at a time. Their sums by account and key are kept in the same
 * transaction, so that balances and quotas can be checked for ever; what was added up from them stays as it is.
 */
export async function deleteOldCalls(deps: Pick<Deps, 'db' | 'clock' | 'settings'>): Promise<void> {
  const { db, clock, settings } = deps
  const days = settings.integer('log_retention_days')
  const most = settings.integer('log_retention_max_rows')
  if (days === 0 && most === 0) return
  const young = days === 0 ? 0 : clock.now() - days * DAY_MS
  // Numbers run without gaps but for what was rolled back: the newest tells how many rows there are.
  const few = most === 0 ? 0 : (await newestId(db.query)) - most
  for (let step = 0; step < MAX_STEPS; step += 1) {
    // Calls go on between two steps.
    if (step > 0) await nextTurn()
    const mark = await readMark(db.query, 'mark.log_archive')
    const seen = await Promise.all(readers.map((name) => readMark(db.query, name)))
    const rows = await oldestRows(db.query, mark, Math.min(...seen), STEP)
    const kept = rows.findIndex(({ id, created_at: at }) => at >= young && id > few)
    const upTo = (kept === -1 ? rows : rows.slice(0, kept)).at(-1)?.id
    if (upTo === undefined) return
    await db.query.transaction().execute(async (tx) => {
      await oneAtATime(tx, clock.now())
      // Another process was quicker.
      if ((await readMark(tx, 'mark.log_archive')) !== mark) return
      await archiveRows(tx, mark, upTo)
      await writeMark(tx, 'mark.log_archive', upTo, clock.now())
    })
  }
}
