import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { idParams, listSchema, messageAnswer, pageQuery, time } from './common.ts'

/** What a monitor does: asks an address, connects, has a model say a word, or asks a model what it must know. */
export const checkTypes = ['http', 'tcp', 'model', 'canary'] as const
export type CheckType = (typeof checkTypes)[number]

const status = z.enum(['up', 'down', 'pending'])
const checked = { status, latency_ms: z.int().nonnegative(), checked_at: time }

export const checkWire = z.strictObject({
  id: z.int(),
  ...checked,
  /** Only where there is one. */
  status_code: z.int().optional(),
  message: z.string().optional(),
})
export type CheckWire = z.input<typeof checkWire>

export const monitorWire = z.strictObject({
  id: z.int(),
  name: z.string(),
  target_url: z.string(),
  check_type: z.enum(checkTypes),
  method: z.enum(['GET', 'HEAD']),
  interval_seconds: z.int(),
  retention_hours: z.int(),
  enabled: z.boolean(),
  last_status: status,
  last_latency_ms: z.int().nonnegative(),
  last_status_code: z.int().nonnegative(),
  last_message: z.string(),
  last_checked_at: time.nullable(),
  /** At most 30, oldest first; null before the first one. */
  recent_checks: z.array(checkWire).nullable(),
  /** What its calls of models have cost the owner. */
  cost_total: z.string(),
  created_at: time,
  updated_at: time,
})
export type MonitorWire = z.input<typeof monitorWire>

const share = z.number().min(0).max(100)

/** A day (UTC) of a monitor; `uptime` null: nothing was checked. */
const dayWire = z.strictObject({ day: z.string(), uptime: share.nullable(), down_minutes: z.int().nonnegative() })

export const publicMonitorWire = z.strictObject({
  id: z.int(),
  name: z.string(),
  status,
  latency_ms: z.int().nonnegative(),
  last_checked_at: time.nullable(),
  /** Percent of good checks over the time checks are kept for (W15). */
  uptime: share,
  recent_checks: z.array(z.strictObject(checked)),
  /** With `days` only. */
  uptimes: z.strictObject({ '24h': share.nullable(), '7d': share.nullable(), '30d': share.nullable(), '90d': share.nullable() }).optional(),
  days: z.array(dayWire).optional(),
})
export const publicStatusWire = z.strictObject({ enabled: z.literal(true), generated_at: time, monitors: z.array(publicMonitorWire) })
export type PublicMonitorWire = z.input<typeof publicMonitorWire>
export type PublicStatusWire = z.input<typeof publicStatusWire>

/** A number that is cut to its range; what is no number is the default, as clients expect (contract.md 3.5). */
function clamped(least: number, most: number, usual: number) {
  return z
    .unknown()
    .optional()
    .transform((asked) =>
      typeof asked === 'number' && Number.isFinite(asked) ? Math.min(most, Math.max(least, Math.trunc(asked))) : usual,
    )
}

const required = (message: string, most: number) =>
  z
    .string({ error: message })
    .trim()
    .min(1, { error: message })
    .max(most, { error: `must have at most ${most} characters` })

/** A change replaces all of it but `enabled`, which stays when it is absent (contract.md 3.5). */
const body = z.object({
  name: required('Name is required', 120),
  target_url: required('Target URL is required', 2_000),
  check_type: z
    .unknown()
    .optional()
    .transform((asked): CheckType => checkTypes.find((type) => type === asked) ?? 'http'),
  method: z
    .unknown()
    .optional()
    .transform((asked): 'GET' | 'HEAD' => (asked === 'HEAD' ? 'HEAD' : 'GET')),
  interval_seconds: clamped(10, 86_400, 60),
  retention_hours: clamped(1, 8_760, 168),
  enabled: z.boolean().nullish(),
})
export type MonitorBody = z.output<typeof body>

const params = idParams('Invalid status monitor id')

export const getPublicStatus = endpoint({
  method: 'GET',
  path: '/api/public/status',
  access: 'public',
  summary: 'How what the site watches is doing; with `days` also its days',
  query: z.object({
    days: z
      .string()
      .regex(/^([1-9]|[1-8]\d|90)$/, { error: 'must be a number from 1 to 90' })
      .transform(Number)
      .optional(),
  }),
  response: publicStatusWire,
})
export const listMonitors = endpoint({
  method: 'GET',
  path: '/api/status-monitors',
  access: 'support',
  summary: 'All status monitors by name, with their last checks',
  query: pageQuery,
  response: listSchema(monitorWire),
})
export const createMonitor = endpoint({
  method: 'POST',
  path: '/api/status-monitors',
  access: 'admin',
  summary: 'Makes a status monitor',
  body,
  response: monitorWire,
})
export const updateMonitor = endpoint({
  method: 'PUT',
  path: '/api/status-monitors/:id',
  access: 'admin',
  summary: 'Replaces a status monitor',
  params,
  body,
  response: monitorWire,
})
export const deleteMonitor = endpoint({
  method: 'DELETE',
  path: '/api/status-monitors/:id',
  access: 'admin',
  summary: 'Deletes a status monitor with its checks',
  params,
  response: messageAnswer,
})
export const checkMonitor = endpoint({
  method: 'POST',
  path: '/api/status-monitors/:id/check',
  access: 'admin',
  summary: 'Checks now, and keeps the result',
  params,
  response: checkWire,
})
