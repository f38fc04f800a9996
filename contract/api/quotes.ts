import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { meters, type MeterRow } from '../meters.ts'
import { MAX_TOKENS } from '../quote.ts'
import { receiptLine } from './logs.ts'

const tokens = z.int().min(0).max(MAX_TOKENS).default(0)
type TokenField = MeterRow['tokens']
const tokenFields = Object.fromEntries(meters.map((meter) => [meter.tokens, tokens])) as Record<TokenField, typeof tokens>

const quoteBody = z.object({
  model: z.string().min(1).max(200),
  /** Only this user channel; every one that sells the model otherwise. */
  user_channel_id: z.int().positive().optional(),
  /** As a log row has them: `input_tokens` and `output_tokens` are all tokens of their side, the others are parts of them. */
  ...tokenFields,
  /** Calls or pictures, of a model sold per call. */
  items: z.int().min(0).max(1_000_000).default(1),
})

const offer = z.strictObject({
  user_channel_id: z.int(),
  user_channel_name: z.string(),
  group_multiplier: z.string(),
  group_source: z.string(),
  channel_multiplier: z.string(),
  lines: z.array(receiptLine),
  /** Sum of `lines` + `rounding` = `total`. */
  rounding: z.string(),
  total: z.string(),
  /** The most any of its upstreams would make it cost: they may have multipliers of their own. */
  highest_total: z.string(),
})
export const quoteWire = z.strictObject({
  model_name: z.string(),
  quota_type: z.int(),
  free: z.boolean(),
  /** Without any multiplier. */
  base: z.string(),
  /** By the name of the user channel. */
  offers: z.array(offer),
})
export type QuoteWire = z.input<typeof quoteWire>

export const publicQuote = endpoint({
  method: 'POST',
  path: '/api/public/quote',
  access: 'public',
  summary: 'What a call of these tokens would cost, line by line, before the multiplier of any group',
  body: quoteBody,
  response: quoteWire,
})
export const userQuote = endpoint({
  method: 'POST',
  path: '/api/user/quote',
  access: 'user',
  summary: "What a call of these tokens would cost the caller, with his groups' multipliers",
  body: quoteBody,
  response: quoteWire,
})
