import type { DatabaseOptions } from '../db/open.ts'
import { BEAT_MS, type OrphanSweeper } from '../features/billing/orphans.ts'
import { deleteOldCalls, RETENTION_MS } from '../features/logs/retention.ts'
import { deliverMails, DELIVER_MAILS_MS } from '../features/mail/service.ts'
import { SWEEP_PAYLOADS_MS, sweepPayloads } from '../features/payloads/service.ts'
import { lookAfterOrders, PAYMENTS_MS } from '../features/payments/recheck.ts'
import { reconcileDaily, RECONCILE_MS } from '../features/reconciliation/daily.ts'
import { addUpCalls, TOTALS_MS } from '../features/reports/totals.ts'
import { foldDue, FOLD_MS } from '../features/usage/fold.ts'
import { sweepResponses, SWEEP_RESPONSES_MS } from '../features/responses/service.ts'
import { PRICE_SYNC_MS, type PriceSync } from '../features/sync/schedule.ts'
import type { Deps } from '../http/deps.ts'
import { MONITORS_MS, type Monitors } from './monitors.ts'
import { payRewards, REWARDS_MS } from './rewards.ts'
import type { Job } from './scheduler.ts'
import { SWEEP_SIGN_IN_MS, sweepSignIn } from './sign-in.ts'

/** What jobs need beside `Deps`. */
interface Parts {
  orphans: OrphanSweeper
  priceSync: PriceSync
  monitors: Monitors
  /** How another thread opens the database. */
  database: Pick<DatabaseOptions, 'path' | 'url'>
}

/** Everything that runs by the clock; a new job is one line here. */
export function jobsOf(deps: Deps, { orphans, priceSync, monitors, database }: Parts): Job[] {
  return [
    { name: 'heartbeat', everyMs: BEAT_MS, run: () => orphans.beat() },
    { name: 'rewards', everyMs: REWARDS_MS, run: () => payRewards(deps) },
    { name: 'stored responses', everyMs: SWEEP_RESPONSES_MS, run: () => sweepResponses(deps) },
    { name: 'mail', everyMs: DELIVER_MAILS_MS, run: () => deliverMails(deps) },
    { name: 'sign-in leftovers', everyMs: SWEEP_SIGN_IN_MS, run: () => sweepSignIn(deps) },
    { name: 'usage', everyMs: FOLD_MS, run: () => foldDue(deps) },
    { name: 'log retention', everyMs: RETENTION_MS, run: () => deleteOldCalls(deps) },
    { name: 'payload retention', everyMs: SWEEP_PAYLOADS_MS, run: () => sweepPayloads(deps) },
    { name: 'daily totals', everyMs: TOTALS_MS, run: () => addUpCalls(deps) },
    { name: 'reconciliation', everyMs: RECONCILE_MS, run: () => reconcileDaily(deps, database) },
    { name: 'payments', everyMs: PAYMENTS_MS, run: () => lookAfterOrders(deps) },
    { name: 'status monitors', everyMs: MONITORS_MS, run: () => monitors.run() },
    { name: 'price lists', everyMs: PRICE_SYNC_MS, run: () => priceSync.run() },
  ]
}
