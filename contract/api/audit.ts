import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { idParam, pageQuery, pageSchema, time } from './common.ts'

/** Longest text that is looked for. */
const MAX_SEARCH = 100

/** Who did what, to what, from where; secrets stand as eight stars. */
export const auditWire = z.strictObject({
  id: z.int(),
  /** null: the server itself. */
  actor_user_id: z.int().nullable(),
  /** null: the server, or somebody whose account is deleted. */
  actor_username: z.string().nullable(),
  action: z.string(),
  target_type: z.string(),
  target_id: z.string(),
  /** Members that changed, as they were; null: nothing was there. */
  before: z.json(),
  /** Members that changed, as they are; null: nothing is there. */
  after: z.json(),
  ip: z.string(),
  created_at: time,
})

export type AuditWire = z.input<typeof auditWire>

const text = z.string().trim().max(MAX_SEARCH).optional()

const filters = {
  actor_user_id: idParam('Invalid actor_user_id').optional(),
  action: text,
  target_type: text,
  target_id: text,
  /** A part of the actor's name, the target, the address or what changed, whatever its case. */
  q: text,
  start_time: z.string().optional(),
  start_date: z.string().optional(),
  end_time: z.string().optional(),
  end_date: z.string().optional(),
}

export const listAuditLogs = endpoint({
  method: 'GET',
  path: '/api/audit-logs',
  access: 'admin',
  summary: 'What administrators did, and what users did to the safety of their accounts, newest first, as a page',
  query: pageQuery.extend(filters),
  response: pageSchema(auditWire),
})

export const exportAuditLogs = endpoint({
  method: 'GET',
  path: '/api/audit-logs/export',
  access: 'admin',
  summary: 'The same, oldest first, as a file: `format` is csv (default) or json',
  query: z.object({ ...filters, format: z.enum(['csv', 'json']).default('csv') }),
  response: z.array(auditWire),
})
