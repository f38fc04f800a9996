import type { CheckWire, MonitorBody, MonitorWire } from '../../../contract/api/status.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney } from '../../../contract/money.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime } from '../../lib/clock.ts'
import { recordAudit } from '../audit/service.ts'
import type { Actor } from '../catalog/change.ts'
import {
  claimDue,
  countMonitors,
  deleteMonitorRow,
  deleteSomeChecks,
  findMonitor,
  insertMonitor,
  latestChecks,
  selectMonitors,
  updateMonitorRow,
  type CheckRow,
  type MonitorFields,
  type MonitorRow,
} from './store.ts'
import { checkTarget } from './target.ts'

/** Checks shown with each monitor (contract.md 3.5). */
const SHOWN_CHECKS = 30
/** All of them are read for the public page, each with its last checks. */
const MAX_MONITORS = 200
/** Deleted in one statement: some milliseconds of the write lock. */
const DELETED_AT_ONCE = 5_000
/** Longer than any check takes: what a process that died had claimed is checked again after it. */
const LEASE_MS = 60_000

type StatusDeps = Pick<Deps, 'db' | 'clock' | 'settings'>

/** A check as the API shows it. */
export function checkWireOf({ id, status, latency_ms, status_code, message, checked_at }: CheckRow): CheckWire {
  return {
    id,
    status: status as CheckWire['status'],
    latency_ms,
    ...(status_code !== 0 && { status_code }),
    ...(message !== '' && { message }),
    checked_at: isoTime(checked_at),
  }
}

async function wireOf({ db }: Pick<Deps, 'db'>, row: MonitorRow): Promise<MonitorWire> {
  const checks = await latestChecks(db.query, row.id, SHOWN_CHECKS)
  const { id, name, target_url, interval_seconds, retention_hours, last_latency_ms, last_status_code, last_message } = row
  return {
    id,
    name,
    target_url,
    check_type: row.check_type as MonitorWire['check_type'],
    method: row.method as MonitorWire['method'],
    interval_seconds,
    retention_hours,
    enabled: row.enabled === 1,
    last_status: row.last_status as MonitorWire['last_status'],
    last_latency_ms,
    last_status_code,
    last_message,
    last_checked_at: row.last_checked_at === null ? null : isoTime(row.last_checked_at),
    recent_checks: checks.length === 0 ? null : checks.map(checkWireOf),
    cost_total: formatMoney(row.cost_total),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }
}

/** All of them, or a page. */
export async function allMonitors(
  deps: Pick<Deps, 'db'>,
  page: { page: number; pageSize: number } | undefined,
): Promise<MonitorWire[] | { items: MonitorWire[]; total: number; page: number; page_size: number }> {
  const items: MonitorWire[] = []
  for (const row of await selectMonitors(deps.db.query, { page })) items.push(await wireOf(deps, row))
  return page ? { items, total: await countMonitors(deps.db.query), page: page.page, page_size: page.pageSize } : items
}

function fieldsOf(
  { name, target_url, check_type, method, interval_seconds, retention_hours }: MonitorBody,
  enabled: boolean,
): MonitorFields {
  return { name, target_url, check_type, method, interval_seconds, retention_hours, enabled: enabled ? 1 : 0 }
}

/** @throws AppError monitor_target_unsafe | monitors_too_many */
export async function createMonitor(deps: StatusDeps, body: MonitorBody, actor: Actor): Promise<MonitorWire> {
  await checkTarget(deps.settings, body.check_type, body.target_url)
  const now = deps.clock.now()
  const row = await deps.db.query.transaction().execute(async (tx) => {
    if ((await countMonitors(tx)) >= MAX_MONITORS) throw new AppError('monitors_too_many')
    const after = await insertMonitor(tx, fieldsOf(body, body.enabled ?? true), now)
    await recordAudit(tx, { ...about(actor, after.id, now), action: 'create', after: { ...after } })
    return after
  })
  return wireOf(deps, row)
}

/** @throws AppError monitor_not_found | monitor_target_unsafe */
export async function updateMonitor(deps: StatusDeps, id: number, body: MonitorBody, actor: Actor): Promise<MonitorWire> {
  await checkTarget(deps.settings, body.check_type, body.target_url)
  const now = deps.clock.now()
  const row = await deps.db.query.transaction().execute(async (tx) => {
    const before = await findMonitor(tx, id)
    if (!before) throw new AppError('monitor_not_found')
    const after = await updateMonitorRow(tx, id, fieldsOf(body, body.enabled ?? before.enabled === 1), now)
    await recordAudit(tx, { ...about(actor, id, now), action: 'update', before: { ...before }, after: { ...after } })
    return after
  })
  return wireOf(deps, row)
}

/** Deletes a monitor with all its checks; one that is gone already is fine. */
export async function deleteMonitor(deps: Pick<Deps, 'db' | 'clock'>, id: number, actor: Actor): Promise<void> {
  // Months of checks go in steps, so that nobody waits long for the lock.
  while (await deleteSomeChecks(deps.db.query, id, DELETED_AT_ONCE));
  const now = deps.clock.now()
  await deps.db.query.transaction().execute(async (tx) => {
    const before = await findMonitor(tx, id)
    if (!before) return
    await deleteMonitorRow(tx, id)
    await recordAudit(tx, { ...about(actor, id, now), action: 'delete', before: { ...before } })
  })
}

/** Takes monitors that are due for this process, at most so many; none while monitoring is switched off. */
export async function claimMonitors({ db, clock, settings }: StatusDeps, most: number): Promise<MonitorRow[]> {
  if (!settings.bool('status_monitor_enabled') || most <= 0) return []
  return claimDue(db.query, clock.now(), LEASE_MS, most)
}

/** @throws AppError monitor_not_found */
export async function requireMonitor(deps: Pick<Deps, 'db'>, id: number): Promise<MonitorRow> {
  const row = await findMonitor(deps.db.query, id)
  if (!row) throw new AppError('monitor_not_found')
  return row
}

function about(actor: Actor, objectId: number, now: number) {
  return { actorUserId: actor.userId, objectType: 'status_monitor', objectId, ip: actor.ip, now }
}
