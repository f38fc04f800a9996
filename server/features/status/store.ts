import { sql, type Insertable, type Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { StatusCheckTable, StatusMonitorTable, StatusSumTable } from '../../db/schema.ts'

type Tx = Database['query']
export type MonitorRow = Selectable<StatusMonitorTable>
export type CheckRow = Selectable<StatusCheckTable>
export type SumRow = Selectable<StatusSumTable>
export type MonitorFields = Pick<
  Insertable<StatusMonitorTable>,
  'name' | 'target_url' | 'check_type' | 'method' | 'interval_seconds' | 'retention_hours' | 'enabled'
>
export type NewCheck = Omit<Insertable<StatusCheckTable>, 'id'>
export type MonitorState = Pick<
  MonitorRow,
  | 'last_status'
  | 'last_latency_ms'
  | 'last_status_code'
  | 'last_message'
  | 'last_checked_at'
  | 'next_check_at'
  | 'claimed_until'
  | 'streak'
  | 'announced_status'
  | 'mailed_at'
  | 'cost_total'
>

/** By name; all, or those that are watched and public. */
export function selectMonitors(
  db: Tx,
  options: { enabledOnly?: boolean; page?: { page: number; pageSize: number } | undefined } = {},
): Promise<MonitorRow[]> {
  const { enabledOnly, page } = options
  let rows = db.selectFrom('status_monitors').selectAll()
  if (enabledOnly) rows = rows.where('enabled', '=', 1)
  if (page) rows = rows.limit(page.pageSize).offset((page.page - 1) * page.pageSize)
  return rows.orderBy('name').orderBy('id').execute()
}

export async function countMonitors(db: Tx): Promise<number> {
  const { total } = await db
    .selectFrom('status_monitors')
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return total
}

export function findMonitor(db: Tx, id: number): Promise<MonitorRow | undefined> {
  return db.selectFrom('status_monitors').selectAll().where('id', '=', id).executeTakeFirst()
}

export function insertMonitor(tx: Tx, fields: MonitorFields, now: number): Promise<MonitorRow> {
  const state = {
    last_status: 'pending',
    last_latency_ms: 0,
    last_status_code: 0,
    last_message: '',
    last_checked_at: null,
    mailed_at: null,
  }
  return tx
    .insertInto('status_monitors')
    .values({ ...fields, ...state, created_at: now, updated_at: now })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** A monitor that was changed is due at once. */
export function updateMonitorRow(tx: Tx, id: number, fields: MonitorFields, now: number): Promise<MonitorRow> {
  return tx
    .updateTable('status_monitors')
    .set({ ...fields, next_check_at: now, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Deletes the oldest of a monitor's checks; false when none is left. */
export async function deleteSomeChecks(tx: Tx, monitorId: number, most: number): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('status_checks')
    .where('id', 'in', (q) => q.selectFrom('status_checks').select('id').where('monitor_id', '=', monitorId).orderBy('id').limit(most))
    .executeTakeFirst()
  return numDeletedRows > 0n
}

export async function deleteMonitorRow(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('status_checks').where('monitor_id', '=', id).execute()
  await tx.deleteFrom('status_sums').where('monitor_id', '=', id).execute()
  await tx.deleteFrom('status_monitors').where('id', '=', id).execute()
}

/** Takes what is due, the longest overdue first: nobody else takes it before the lease is over. */
export function claimDue(db: Tx, now: number, leaseMs: number, most: number): Promise<MonitorRow[]> {
  return (
    db
      .updateTable('status_monitors')
      .set({ claimed_until: now + leaseMs })
      .where('id', 'in', (q) =>
        q
          .selectFrom('status_monitors')
          .select('id')
          .where('enabled', '=', 1)
          .where('next_check_at', '<=', now)
          .where('claimed_until', '<=', now)
          .orderBy('next_check_at')
          .limit(most),
      )
      // Asked again of the row itself: another process may have taken it meanwhile.
      .where('claimed_until', '<=', now)
      .returningAll()
      .execute()
  )
}

/** The row as it is now, kept from others until the transaction ends. */
export function lockMonitor(tx: Tx, id: number): Promise<MonitorRow | undefined> {
  return tx
    .updateTable('status_monitors')
    .set(({ ref }) => ({ streak: ref('streak') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

export async function keepState(tx: Tx, id: number, state: MonitorState): Promise<void> {
  await tx.updateTable('status_monitors').set(state).where('id', '=', id).execute()
}

export function insertCheck(tx: Tx, check: NewCheck): Promise<CheckRow> {
  return tx.insertInto('status_checks').values(check).returningAll().executeTakeFirstOrThrow()
}

/** The newest checks, oldest first. */
export async function latestChecks(db: Tx, monitorId: number, most: number): Promise<CheckRow[]> {
  const rows = await db
    .selectFrom('status_checks')
    .selectAll()
    .where('monitor_id', '=', monitorId)
    .orderBy('id', 'desc')
    .limit(most)
    .execute()
  return rows.toReversed()
}

/** Drops some of a monitor's checks from before `before`, oldest first: the cost does not grow with what is kept. */
export async function deleteOldChecks(tx: Tx, monitorId: number, before: number, most: number): Promise<void> {
  await tx
    .deleteFrom('status_checks')
    .where('id', 'in', (q) =>
      q
        .selectFrom((oldest) =>
          oldest
            .selectFrom('status_checks')
            .select(['id', 'checked_at'])
            .where('monitor_id', '=', monitorId)
            .orderBy('id')
            .limit(most)
            .as('oldest'),
        )
        .select('id')
        .where('checked_at', '<', before),
    )
    .execute()
}

/** Adds one check to the sums of its hour or day. */
export async function addToSum(tx: Tx, sum: SumRow): Promise<void> {
  await tx
    .insertInto('status_sums')
    .values(sum)
    .onConflict((conflict) =>
      conflict.columns(['monitor_id', 'span', 'start']).doUpdateSet({
        up: sql<number>`status_sums.up + excluded.up`,
        down: sql<number>`status_sums.down + excluded.down`,
        latency_ms: sql<number>`status_sums.latency_ms + excluded.latency_ms`,
        down_seconds: sql<number>`status_sums.down_seconds + excluded.down_seconds`,
      }),
    )
    .execute()
}

export async function deleteOldSums(tx: Tx, monitorId: number, span: SumRow['span'], before: number): Promise<void> {
  await tx.deleteFrom('status_sums').where('monitor_id', '=', monitorId).where('span', '=', span).where('start', '<', before).execute()
}

/** Sums of one length that begin in or after `from`, in order of time. */
export function sumsOf(db: Tx, monitorId: number, span: SumRow['span'], from: number): Promise<SumRow[]> {
  return db
    .selectFrom('status_sums')
    .selectAll()
    .where('monitor_id', '=', monitorId)
    .where('span', '=', span)
    .where('start', '>=', from)
    .orderBy('start')
    .execute()
}
