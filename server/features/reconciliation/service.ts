import type { importUsage, ReconciliationDetail, ReconciliationWire } from '../../../contract/api/reconciliations.ts'
import { firstPage, pageOf } from '../../../contract/api/common.ts'
import type { BodyOf } from '../../../contract/endpoint.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime, DAY_MS } from '../../lib/clock.ts'
import { recordAudit } from '../audit/service.ts'
import type { Actor } from '../catalog/change.ts'
import { usageOfChannel } from '../reports/service.ts'
import { compareUsage } from './compare.ts'
import { readUsage } from './formats.ts'
import {
  channelExists,
  findReconciliation,
  insertReconciliation,
  selectDifferences,
  selectReconciliations,
  selectUsage,
  writeDifferences,
  type ReconciliationRow,
} from './store.ts'

/** Differences kept of a comparison: the first ones say what is wrong. */
const MAX_DIFFERENCES = 5_000

type ReconcileDeps = Pick<Deps, 'db' | 'clock'>

/** Comparisons, newest first. */
export async function listRuns(deps: Pick<Deps, 'db'>, query: { page?: number | undefined; page_size?: number | undefined }) {
  const { page, pageSize } = pageOf(query) ?? firstPage
  const { rows, total } = await selectReconciliations(deps.db.query, pageSize, (page - 1) * pageSize)
  return { items: rows.map(wireOf), total, page, page_size: pageSize }
}

/** A comparison with its differences. @throws AppError not_found */
export async function detailOf({ db }: Pick<Deps, 'db'>, id: number): Promise<ReconciliationDetail> {
  const row = await requireRun(db.query, id)
  const differences = await selectDifferences(db.query, id, MAX_DIFFERENCES)
  return {
    ...wireOf(row),
    differences: differences.map(({ day, subject, field, ours, theirs, rule }) => ({
      day: day === null ? null : dateOf(day),
      subject,
      field,
      ours,
      theirs,
      rule,
    })),
  }
}

/**
 * Keeps what an upstream says of a channel's use, and compares it with our rows.
 * @throws AppError channel_not_found | usage_file_unreadable
 */
export async function importFile(deps: ReconcileDeps, input: BodyOf<typeof importUsage>, actor: Actor): Promise<ReconciliationDetail> {
  const now = deps.clock.now()
  if (!(await channelExists(deps.db.query, input.channel_id))) throw new AppError('channel_not_found')
  const rows = readUsage(input.format, input.content, input.columns)
  const days = rows.map(({ day }) => day)
  const id = await deps.db.query.transaction().execute(async (tx) => {
    const row = {
      kind: 'upstream',
      channel_id: input.channel_id,
      file_name: input.file_name,
      format: input.format,
      from_day: days.reduce((a, b) => Math.min(a, b)),
      to_day: days.reduce((a, b) => Math.max(a, b)),
      row_count: rows.length,
      difference_count: 0,
      status: 'equal',
      actor_user_id: actor.userId,
      created_at: now,
      checked_at: now,
    }
    const made = await insertReconciliation(tx, row, rows)
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'import',
      objectType: 'reconciliation',
      objectId: made,
      after: row,
      ip: actor.ip,
      now,
    })
    return made
  })
  await compareRun(deps, id)
  return detailOf(deps, id)
}

/** Compares an imported file with our rows of this moment. @throws AppError not_found, also for a run that has no file */
export async function compareRun(deps: ReconcileDeps, id: number): Promise<void> {
  const { db, clock } = deps
  const run = await requireRun(db.query, id)
  if (run.kind !== 'upstream' || run.channel_id === null) throw new AppError('not_found', { message: 'Reconciliation not found' })
  const theirs = await selectUsage(db.query, id)
  const ours = await usageOfChannel(deps, run.channel_id, run.from_day, run.to_day)
  const found = compareUsage(theirs, ours)
  const unexplained = found.filter(({ rule }) => rule === '').length
  await db.query.transaction().execute((tx) => writeDifferences(tx, id, found.slice(0, MAX_DIFFERENCES), unexplained, clock.now()))
}

async function requireRun(db: Deps['db']['query'], id: number): Promise<ReconciliationRow> {
  const row = await findReconciliation(db, id)
  if (!row) throw new AppError('not_found', { message: 'Reconciliation not found' })
  return row
}

function wireOf(row: ReconciliationRow): ReconciliationWire {
  return {
    id: row.id,
    kind: row.kind === 'books' ? 'books' : 'upstream',
    channel_id: row.channel_id,
    channel_name: row.channel_name,
    file_name: row.file_name,
    format: row.format,
    from: dateOf(row.from_day),
    to: dateOf(row.to_day),
    rows: row.row_count,
    difference_count: row.difference_count,
    status: row.status === 'different' ? 'different' : 'equal',
    created_at: isoTime(row.created_at),
    checked_at: isoTime(row.checked_at),
  }
}

function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}
