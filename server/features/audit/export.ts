import type { AuditWire } from '../../../contract/api/audit.ts'
import type { Deps } from '../../http/deps.ts'
import { csvLine, csvResponse } from '../../lib/csv.ts'
import { download } from '../../lib/download.ts'
import { auditFilters, auditWireOf, type AuditQuery } from './list.ts'
import { lastAuditId, selectAuditAfter, type AuditFilters } from './store.ts'

/** Rows of one read: with the longest texts a few MiB, commonly some hundred KiB. */
const PAGE = 500

const columns = [
  'id',
  'created_at',
  'actor_user_id',
  'actor_username',
  'action',
  'target_type',
  'target_id',
  'before',
  'after',
  'ip',
] as const satisfies readonly (keyof AuditWire)[]

/**
 * The rows there are now, oldest first, written while they are read: memory holds one page of them.
 * @throws AppError bad_request `invalid time format`
 */
export async function exportAudit(deps: Pick<Deps, 'db' | 'clock'>, query: AuditQuery, format: 'csv' | 'json'): Promise<Response> {
  const filters = auditFilters(query)
  const pages = pagesOf(deps, filters, await lastAuditId(deps.db.query))
  const name = `audit-${new Date(deps.clock.now()).toISOString().slice(0, 10)}.${format}`
  return format === 'csv' ? csvResponse(name, columns, csvOf(pages)) : download(name, 'application/json', jsonOf(pages))
}

async function* pagesOf(deps: Pick<Deps, 'db'>, filters: AuditFilters, upTo: number): AsyncGenerator<AuditWire[]> {
  for (let after = 0; ;) {
    const rows = await selectAuditAfter(deps.db.query, filters, after, upTo, PAGE)
    const last = rows.at(-1)
    if (!last) return
    after = last.id
    yield rows.map(auditWireOf)
  }
}

async function* csvOf(pages: AsyncGenerator<AuditWire[]>): AsyncGenerator<string> {
  for await (const rows of pages) yield rows.map((row) => csvLine(columns.map((column) => cellOf(row[column])))).join('')
}

function cellOf(value: AuditWire[keyof AuditWire]): string | number | null {
  return typeof value === 'string' || typeof value === 'number' || value === null ? value : JSON.stringify(value)
}

async function* jsonOf(pages: AsyncGenerator<AuditWire[]>): AsyncGenerator<string> {
  let open = '['
  for await (const rows of pages) {
    yield open + rows.map((row) => JSON.stringify(row)).join(',\n')
    open = ',\n'
  }
  yield open === '[' ? '[]\n' : ']\n'
}
