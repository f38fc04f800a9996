import { Worker } from 'node:worker_threads'
import type { DatabaseOptions } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { booksWorkerUrl } from '../../lib/paths.ts'
import type { BooksReport } from '../books/service.ts'
import type { BooksAnswer } from './books-worker.ts'
import { compareRun } from './service.ts'
import { importsSince, insertReconciliation, lastAudit, writeDifferences } from './store.ts'
import { DAY_MS } from '../../lib/clock.ts'

/** How often it is looked whether a day has passed. */
export const RECONCILE_MS = 3_600_000
/** Imports are compared again for a week: upstreams correct their numbers for days. */
const RECHECK_DAYS = 7

/** Once a day: audits all books, and compares the imports of the last week again. Differences are logged and kept. */
export async function reconcileDaily(deps: Deps, database: Pick<DatabaseOptions, 'path' | 'url'>): Promise<void> {
  const { db, clock, log } = deps
  const now = clock.now()
  if (now - (await lastAudit(db.query)) < DAY_MS) return
  const report = await auditAside(database)
  const today = Math.floor(now / DAY_MS)
  const count = report.differences.length
  await db.query.transaction().execute(async (tx) => {
    const id = await insertReconciliation(
      tx,
      {
        kind: 'books',
        channel_id: null,
        file_name: '',
        format: '',
        from_day: today,
        to_day: today,
        row_count: report.calls + report.entries,
        difference_count: count,
        status: 'equal',
        actor_user_id: null,
        created_at: now,
        checked_at: now,
      },
      [],
    )
    const found = report.differences.map(({ what, id: which, expected, found: ours }) => ({
      day: null,
      subject: `${what} ${which}`,
      field: '',
      ours,
      theirs: expected,
      rule: '',
    }))
    await writeDifferences(tx, id, found, count, now)
  })
  if (count > 0) log.error('the books do not balance: see npm run audit', { differences: count })
  for (const id of await importsSince(db.query, now - RECHECK_DAYS * DAY_MS)) await compareRun(deps, id)
}

/** Audits in a thread of its own: reading millions of rows must not stop the calls that run here. */
function auditAside(database: Pick<DatabaseOptions, 'path' | 'url'>): Promise<BooksReport> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(booksWorkerUrl, { workerData: { path: database.path, url: database.url } })
    const end = (settle: () => void): void => {
      settle()
      void worker.terminate()
    }
    worker.once('message', (answer: BooksAnswer) =>
      end(() => ('report' in answer ? resolve(answer.report) : reject(new Error(`the books could not be audited: ${answer.fault}`)))),
    )
    worker.once('error', (error) => end(() => reject(error)))
    worker.unref()
  })
}
