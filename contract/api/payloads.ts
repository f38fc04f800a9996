import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { time } from './common.ts'
import { callId } from './logs.ts'

/** What was asked and answered in one call, as far as it was kept: credentials and media are cut out, long texts are cut off. */
export const payloadWire = z.strictObject({
  log_id: z.int(),
  request_id: z.string(),
  user_id: z.int(),
  request: z.string(),
  /** Of the whole. */
  request_bytes: z.int(),
  answer: z.string(),
  answer_bytes: z.int(),
  created_at: time,
})

export type PayloadWire = z.input<typeof payloadWire>

export const getLogPayload = endpoint({
  method: 'GET',
  path: '/api/logs/:id/payload',
  access: 'admin',
  summary: 'What was asked and answered in one call, where `payload_log_mode` records it; each reading is in the audit log',
  params: callId,
  response: payloadWire,
})
