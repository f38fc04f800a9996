import type { Insertable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { AuditTable } from '../../db/schema.ts'
import { contains } from '../../db/search.ts'

type Query = Database['query']

/** Appends one row; audit rows are never changed. */
export async function insertAudit(tx: Query, row: Insertable<AuditTable>): Promise<void> {
  await tx.insertInto('audit_log').values(row).execute()
}

/** Times in epoch ms; `before` is exclusive. */
export interface AuditFilters {
  actorUserId?: number | undefined
  action?: string | undefined
  objectType?: string | undefined
  objectId?: string | undefined
  text?: string | undefined
  from?: number | undefined
  before?: number | undefined
}

/** Where a text may stand: what changed, to what, by whom, from where. */
const SEARCHED = [
  'audit_log.before',
  'audit_log.after',
  'audit_log.action',
  'audit_log.object_type',
  'audit_log.object_id',
  'audit_log.ip',
  'users.username',
]

function filtered(db: Query, { actorUserId, action, objectType, objectId, text, from, before }: AuditFilters) {
  let rows = db.selectFrom('audit_log').leftJoin('users', 'users.id', 'audit_log.actor_user_id')
  if (actorUserId !== undefined) rows = rows.where('audit_log.actor_user_id', '=', actorUserId)
  if (action) rows = rows.where('audit_log.action', '=', action)
  if (objectType) rows = rows.where('audit_log.object_type', '=', objectType)
  if (objectId) rows = rows.where('audit_log.object_id', '=', objectId)
  if (from !== undefined) rows = rows.where('audit_log.created_at', '>=', from)
  if (before !== undefined) rows = rows.where('audit_log.created_at', '<', before)
  return text ? rows.where(contains(SEARCHED, text)) : rows
}

function rowsOf(db: Query, filters: AuditFilters) {
  return filtered(db, filters).selectAll('audit_log').select('users.username as actor_username')
}

export type AuditRow = Awaited<ReturnType<typeof selectAudit>>[number]

/** Newest first. */
export function selectAudit(db: Query, filters: AuditFilters, limit: number, offset: number) {
  return rowsOf(db, filters).orderBy('audit_log.id', 'desc').limit(limit).offset(offset).execute()
}

export async function countAudit(db: Query, filters: AuditFilters): Promise<number> {
  const counted = filtered(db, filters).select((count) => count.fn.countAll<number>().as('total'))
  return (await counted.executeTakeFirstOrThrow()).total
}

/** Oldest first, from behind one row up to another. */
export function selectAuditAfter(db: Query, filters: AuditFilters, after: number, upTo: number, limit: number): Promise<AuditRow[]> {
  return rowsOf(db, filters)
    .where('audit_log.id', '>', after)
    .where('audit_log.id', '<=', upTo)
    .orderBy('audit_log.id')
    .limit(limit)
    .execute()
}

/** The newest row of all, 0 when there is none. */
export async function lastAuditId(db: Query): Promise<number> {
  return (await db.selectFrom('audit_log').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst())?.id ?? 0
}
