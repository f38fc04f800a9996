import { formatMoney, money, ZERO, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { drawBelow } from '../../lib/ids.ts'
import { recordAudit } from '../audit/service.ts'
import { mailAdmins } from '../mail/admins.ts'
import {
  addToSum,
  deleteOldChecks,
  deleteOldSums,
  insertCheck,
  keepState,
  lockMonitor,
  type CheckRow,
  type MonitorRow,
  type MonitorState,
} from './store.ts'
import { DAY_MS, HOUR_MS } from '../../lib/clock.ts'

/** What one check found. */
export interface Found {
  status: 'up' | 'down'
  latencyMs: number
  /** 0: there is none. */
  statusCode: number
  message: string
  /** What it cost the owner at an upstream. */
  cost?: Money
}

/** Enough for the last 24 whole hours and for windows of up to two days. */
export const HOURS_KEPT_MS = 50 * HOUR_MS
/** A year of retention (contract.md 3.5), and the days around it. */
const DAYS_KEPT_MS = 370 * DAY_MS
/** Deleted with one check: more than one check adds, so that a shorter retention is reached in time. */
const DELETED_AT_ONCE = 100
/** So many checks in a row say the same before it is told: a single lost packet is no outage. */
const STREAK = 2
/** A monitor that goes up and down all the time sends one mail in so much time; the audit log has every change. */
const MAIL_PAUSE_MS = 10 * 60_000
/** Longest message kept (contract.md 8.3): it quotes an upstream. */
const MAX_MESSAGE = 500
/** Part of the interval that chance adds or takes: a twentieth. */
const JITTER_PARTS = 20

type RecordDeps = Pick<Deps, 'db' | 'clock' | 'settings' | 'secrets' | 'mailer'>

/** Keeps a check with the monitor's state, its sums and its retention, in one transaction. @returns undefined when the monitor is gone */
export function recordCheck(deps: RecordDeps, monitorId: number, found: Found): Promise<CheckRow | undefined> {
  const now = deps.clock.now()
  return deps.db.query.transaction().execute(async (tx) => {
    const row = await lockMonitor(tx, monitorId)
    if (!row) return undefined
    const { status, latencyMs, statusCode } = found
    const message = found.message.slice(0, MAX_MESSAGE)
    const check = await insertCheck(tx, {
      monitor_id: monitorId,
      status,
      latency_ms: latencyMs,
      status_code: statusCode,
      message,
      checked_at: now,
    })
    const streak = status === row.last_status ? row.streak + 1 : 1
    const changed = status !== row.announced_status && streak >= STREAK
    const state: MonitorState = {
      last_status: status,
      last_latency_ms: latencyMs,
      last_status_code: statusCode,
      last_message: message,
      last_checked_at: now,
      next_check_at: now + row.interval_seconds * 1000 + jitterMs(row.interval_seconds),
      claimed_until: 0,
      streak,
      announced_status: changed ? status : row.announced_status,
      mailed_at: row.mailed_at,
      cost_total: money(row.cost_total + (found.cost ?? ZERO)),
    }
    // That something works from the start is no news.
    if (changed && !(row.announced_status === 'pending' && status === 'up')) state.mailed_at = await tell(tx, deps, row, found, now)
    await keepState(tx, monitorId, state)
    const up = status === 'up'
    const one = { monitor_id: monitorId, up: up ? 1 : 0, down: up ? 0 : 1, latency_ms: up ? latencyMs : 0 }
    const sum = { ...one, down_seconds: up ? 0 : row.interval_seconds }
    await addToSum(tx, { ...sum, span: 'hour', start: now - (now % HOUR_MS) })
    await addToSum(tx, { ...sum, span: 'day', start: now - (now % DAY_MS) })
    await deleteOldChecks(tx, monitorId, now - row.retention_hours * HOUR_MS, DELETED_AT_ONCE)
    await deleteOldSums(tx, monitorId, 'hour', now - HOURS_KEPT_MS)
    await deleteOldSums(tx, monitorId, 'day', now - DAYS_KEPT_MS)
    return check
  })
}

function jitterMs(intervalSeconds: number): number {
  const spread = Math.floor((intervalSeconds * 1000) / JITTER_PARTS)
  return drawBelow(2 * spread + 1) - spread
}

/** Writes the change down, and to the administrators. @returns when they were written to last */
async function tell(tx: Database['query'], deps: RecordDeps, row: MonitorRow, found: Found, now: number): Promise<number | null> {
  await recordAudit(tx, {
    actorUserId: null,
    action: found.status,
    objectType: 'status_monitor',
    objectId: row.id,
    after: { name: row.name, message: found.message.slice(0, MAX_MESSAGE), ...(found.cost && { cost: formatMoney(found.cost) }) },
    ip: '',
    now,
  })
  if (row.mailed_at !== null && now - row.mailed_at < MAIL_PAUSE_MS) return row.mailed_at
  const mailed = await mailAdmins(tx, deps, { kind: 'monitor', name: row.name, up: found.status === 'up', message: found.message })
  return mailed ? now : row.mailed_at
}
