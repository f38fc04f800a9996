import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { listSchema, pageQuery, time } from './common.ts'

const price = z.string().optional()

/** What everybody sees of his own calls (contract.md 2.11 and the receipt's fields). */
const logFields = {
  id: z.int(),
  request_id: z.string(),
  user_id: z.int(),
  api_key_id: z.int().optional(),
  api_key_name: z.string().optional(),
  user_channel_id: z.int().optional(),
  user_channel_name: z.string().optional(),
  model_name: z.string(),
  protocol: z.string(),
  endpoint: z.string(),
  stream: z.boolean(),
  source: z.string(),
  status: z.int(),
  end_reason: z.string(),
  usage_source: z.string(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cached_input_tokens: z.int(),
  cache_write_input_tokens: z.int(),
  cache_write_1h_input_tokens: z.int(),
  image_input_tokens: z.int(),
  image_output_tokens: z.int(),
  audio_input_tokens: z.int(),
  audio_output_tokens: z.int(),
  reasoning_tokens: z.int(),
  cost: z.string(),
  base_cost: z.string(),
  uncollected: z.string(),
  group_multiplier: z.string(),
  group_source: z.string(),
  user_channel_multiplier: z.string(),
  input_price: price,
  output_price: price,
  cached_input_price: price,
  cache_write_input_price: price,
  cache_write_1h_input_price: price,
  charge_note: z.string(),
  losses: z.array(z.json()),
  attempt_count: z.int(),
  first_response_time_ms: z.int().nullable(),
  response_time_ms: z.int(),
  ip: z.string(),
  user_agent: z.string(),
  /** Set on the calls of a meta model: its name, what this call was to it, and the customer's call it is a part of. */
  meta_model: z.string().optional(),
  meta_role: z.string().optional(),
  parent_request_id: z.string().optional(),
  created_at: time,
}

/** What only those who run the site see: where the call went, and what it cost them (W53). */
const adminFields = {
  username: z.string().optional(),
  channel_id: z.int().optional(),
  channel_name: z.string().optional(),
  model_config_id: z.int().optional(),
  upstream_model_name: z.string(),
  upstream_protocol: z.string(),
  upstream_cost: z.string().nullable(),
  error: z.string(),
  /** `option audit_label` of the meta model's program. */
  audit_label: z.string().optional(),
}

const tier = z.strictObject({ min_tokens: z.int(), price: z.string(), condition: z.string() })

export const receiptLine = z.strictObject({
  meter: z.string(),
  tokens: z.int(),
  unit_price: z.string(),
  tier: tier.nullable(),
  group_multiplier: z.string(),
  group_source: z.string(),
  channel_multiplier: z.string(),
  /** Exact, before the one rounding of the sum. */
  amount: z.string(),
})

export type ReceiptLine = z.input<typeof receiptLine>

const part = z.strictObject({
  request_id: z.string(),
  meta_role: z.string(),
  model_name: z.string(),
  status: z.int(),
  end_reason: z.string(),
  cost: z.string(),
})

/** The bill of one call, made from nothing but its row: sum of `lines` + `rounding` = `charged` + `uncollected`. */
const receiptFields = {
  /** Calls a meta model made for this one, each with a row and receipt of its own. */
  parts: z.array(part),
  /** `charged` and the cost of all parts so far. */
  total: z.string(),
  lines: z.array(receiptLine),
  rounding: z.string(),
  charged: z.string(),
  hold: z.string(),
  ledger_entry_id: z.int().nullable(),
  snapshot: z.strictObject({ price_card: z.json(), items: z.int(), group_multiplier: z.string(), user_channel_multiplier: z.string() }),
}

/** One try of an upstream; users see neither which nor why. */
const attempt = z.strictObject({ outcome: z.string(), status: z.int().nullable(), started_ms: z.number(), duration_ms: z.number() })
const adminAttempt = attempt.extend({ channel_id: z.int(), channel_name: z.string(), upstream_model_name: z.string(), error: z.string() })

/** How the channels of a call were chosen; null where there was nothing to choose. */
const routePlan = z.strictObject({
  algorithm: z.string(),
  user_channel_id: z.int(),
  /** What put the first channel first: its algorithm, the conversation's last channel, or the one that keeps the response it goes on from. */
  picked_by: z.string(),
  candidates: z.int(),
  order: z.array(z.strictObject({ channel_id: z.int(), channel_name: z.string().optional(), score: z.string().nullable() })),
  skipped_count: z.int(),
  skipped: z.array(
    z.strictObject({ channel_id: z.int(), channel_name: z.string().optional(), reason: z.string(), for_ms: z.int(), detail: z.string() }),
  ),
})

export const logWire = z.strictObject(logFields)
export const adminLogWire = z.strictObject({ ...logFields, ...adminFields })
export const receiptWire = z.strictObject({ ...logFields, ...receiptFields, attempts: z.array(attempt) })
export const adminReceiptWire = z.strictObject({
  ...logFields,
  ...adminFields,
  ...receiptFields,
  attempts: z.array(adminAttempt),
  plan: routePlan.nullable(),
})

export type LogWire = z.input<typeof logWire>
export type AdminLogWire = z.input<typeof adminLogWire>
export type ReceiptWire = z.input<typeof receiptWire>
export type AdminReceiptWire = z.input<typeof adminReceiptWire>

const idFilter = (name: string) =>
  z
    .string()
    .regex(/^[1-9]\d{0,14}$/, { error: `Invalid ${name}` })
    .transform(Number)
    .optional()

/** Filters (contract.md 3.5 LATER); any of them but `user_id` makes the answer a page. */
const userFilters = pageQuery.extend({
  api_key_id: idFilter('api_key_id'),
  user_channel_id: idFilter('user_channel_id'),
  model_name: z.string().max(200).optional(),
  end_reason: z.string().max(50).optional(),
  start_time: z.string().optional(),
  start_date: z.string().optional(),
  end_time: z.string().optional(),
  end_date: z.string().optional(),
})
const adminFilters = userFilters.extend({ user_id: idFilter('user_id'), channel_id: idFilter('channel_id') })

export type LogQuery = Partial<z.output<typeof adminFilters>>

/** A row's number or its request id. */
export const callId = z.object({ id: z.string().regex(/^([1-9]\d{0,14}|req_[0-9a-z]{1,40})$/, { error: 'Invalid log id' }) })

export const listUserLogs = endpoint({
  method: 'GET',
  path: '/api/user/logs',
  access: 'user',
  summary: 'Own calls, newest first: the latest 100, or a page',
  query: userFilters,
  response: listSchema(logWire),
})
export const listLogs = endpoint({
  method: 'GET',
  path: '/api/logs',
  access: 'support',
  summary: 'All calls, newest first: the latest 100, or a page',
  query: adminFilters,
  response: listSchema(adminLogWire),
})
export const getUserLog = endpoint({
  method: 'GET',
  path: '/api/user/logs/:id',
  access: 'user',
  summary: 'The receipt of one own call',
  params: callId,
  response: receiptWire,
})
export const getLog = endpoint({
  method: 'GET',
  path: '/api/logs/:id',
  access: 'support',
  summary: 'The receipt of one call',
  params: callId,
  response: adminReceiptWire,
})
