import { z } from 'zod'
import type { AuditWire } from '../../../contract/api/audit.ts'
import { firstPage, pageOf } from '../../../contract/api/common.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime } from '../../lib/clock.ts'
import { spanOf } from '../../lib/query-time.ts'
import { countAudit, selectAudit, type AuditFilters, type AuditRow } from './store.ts'

type Times = Partial<Record<'start_time' | 'start_date' | 'end_time' | 'end_date', string | undefined>>

/** What a list or an export is asked about. */
export interface AuditQuery extends Times {
  actor_user_id?: number | undefined
  action?: string | undefined
  target_type?: string | undefined
  target_id?: string | undefined
  q?: string | undefined
}

/** @throws AppError bad_request `invalid time format` */
export function auditFilters(query: AuditQuery): AuditFilters {
  return {
    actorUserId: query.actor_user_id,
    action: query.action,
    objectType: query.target_type,
    objectId: query.target_id,
    text: query.q,
    ...spanOf(query),
  }
}

/** A page of what was done, newest first. */
export async function listAudit(
  deps: Pick<Deps, 'db'>,
  query: AuditQuery & { page?: number | undefined; page_size?: number | undefined },
): Promise<{ items: AuditWire[]; total: number; page: number; page_size: number }> {
  const filters = auditFilters(query)
  const { page, pageSize } = pageOf(query) ?? firstPage
  const rows = await selectAudit(deps.db.query, filters, pageSize, (page - 1) * pageSize)
  return { items: rows.map(auditWireOf), total: await countAudit(deps.db.query, filters), page, page_size: pageSize }
}

const anyJson = z.json()

/** A row as the API shows it. */
export function auditWireOf(row: AuditRow): AuditWire {
  return {
    id: row.id,
    actor_user_id: row.actor_user_id,
    actor_username: row.actor_username,
    action: row.action,
    target_type: row.object_type,
    target_id: row.object_id,
    before: anyJson.parse(JSON.parse(row.before)),
    after: anyJson.parse(JSON.parse(row.after)),
    ip: row.ip,
    created_at: isoTime(row.created_at),
  }
}
