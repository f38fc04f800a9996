import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { time } from './common.ts'

export const usageBuckets = ['15m', 'hour', 'day', 'month', 'none'] as const
export const userUsageGroups = ['none', 'model', 'key'] as const
export const usageGroups = ['none', 'model', 'channel', 'user_channel', 'user', 'key'] as const

const counted = {
  /** Customers' own calls; what a meta model called for them is in `parts`. */
  requests: z.int(),
  parts: z.int(),
  /** Ended by a fault of the upstream or of ours. */
  errors: z.int(),
  /** The client left before the end. */
  abandoned: z.int(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cached_input_tokens: z.int(),
  cache_write_tokens: z.int(),
  reasoning_tokens: z.int(),
  cost: z.string(),
}
const latencies = {
  /** ms, from a histogram; null: no call to say it of. */
  first_token_p50: z.int().nullable(),
  first_token_p95: z.int().nullable(),
  duration_p50: z.int().nullable(),
  duration_p95: z.int().nullable(),
  /** Share of the calls and parts, 0 to 1. */
  error_rate: z.number(),
  /** Share of the input tokens that was read from a cache. */
  cache_hit_rate: z.number(),
}
const earned = {
  uncollected: z.string(),
  upstream_cost: z.string(),
  /** `cost` without `unknown_cost_sales`, less `upstream_cost`. */
  margin: z.string(),
  unknown_cost_sales: z.string(),
  unknown_cost_requests: z.int(),
}

const userTotals = z.strictObject({ ...counted, ...latencies })
const adminTotals = z.strictObject({ ...counted, ...latencies, ...earned })
const userPoint = z.strictObject(counted)
const adminPoint = z.strictObject({ ...counted, ...earned })

function answer<T extends z.ZodType, P extends z.ZodType>(totals: T, point: P) {
  return z.strictObject({
    from: time,
    to: time,
    tz: z.string(),
    /** When each begins. */
    buckets: z.array(time),
    /** The largest by cost; `other` is the sum of the rest. `points` stand in the order of `buckets`. */
    series: z.array(z.strictObject({ key: z.string(), name: z.string(), totals, points: z.array(point) })),
    totals,
    /** Of the same length of time just before; null unless `compare=previous`. */
    previous: totals.nullable(),
  })
}

const idFilter = (name: string) =>
  z
    .string()
    .regex(/^[1-9]\d{0,14}$/, { error: `Invalid ${name}` })
    .transform(Number)
    .optional()

const range = z.object({
  /** As in the lists of calls; the last 30 days by default. Rounded outwards to a quarter of an hour. */
  from: z.string().optional(),
  to: z.string().optional(),
  tz: z.string().max(64).default('UTC'),
  bucket: z.enum(usageBuckets).default('day'),
  top: z
    .string()
    .regex(/^[1-9]\d?$/, { error: 'must be from 1 to 99' })
    .transform(Number)
    .default(10),
  compare: z.enum(['previous']).optional(),
  model_name: z.string().max(200).optional(),
  api_key_id: idFilter('api_key_id'),
})
const userQuery = range.extend({ group_by: z.enum(userUsageGroups).default('none') })
const adminQuery = range.extend({
  group_by: z.enum(usageGroups).default('none'),
  user_id: idFilter('user_id'),
  channel_id: idFilter('channel_id'),
  user_channel_id: idFilter('user_channel_id'),
})

export type UsageQuery = z.output<typeof adminQuery>
export type AdminTotals = z.input<typeof adminTotals>
export type AdminPoint = z.input<typeof adminPoint>
const adminAnswer = answer(adminTotals, adminPoint)
const userAnswer = answer(userTotals, userPoint)
export type AdminUsage = z.input<typeof adminAnswer>
export type UserUsage = z.input<typeof userAnswer>

export const getUserUsage = endpoint({
  method: 'GET',
  path: '/api/user/usage',
  access: 'user',
  summary: 'Own use over time, by model or key',
  query: userQuery,
  response: userAnswer,
})
export const getUsage = endpoint({
  method: 'GET',
  path: '/api/usage',
  access: 'finance',
  summary: 'Use over time with cost price and margin, by model, channel, user channel, user, or the keys of a user',
  query: adminQuery,
  response: adminAnswer,
})

const used = {
  request_count: z.int(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cached_input_tokens: z.int(),
  total_tokens: z.int(),
  total_cost: z.string(),
}

const channelUsage = z.strictObject({
  user_channels: z.array(
    z.strictObject({
      id: z.int(),
      name: z.string(),
      description: z.string(),
      routing_algorithm: z.string(),
      multiplier: z.string(),
      ...used,
    }),
  ),
  upstream_channels: z.array(
    z.strictObject({
      id: z.int(),
      name: z.string(),
      type: z.string(),
      user_channel_id: z.int().nullable(),
      user_channel_name: z.string(),
      priority: z.int(),
      weight: z.int(),
      ...used,
    }),
  ),
})
export type ChannelUsage = z.input<typeof channelUsage>

export const getChannelUsage = endpoint({
  method: 'GET',
  path: '/api/channel-usage',
  access: 'support',
  summary: 'What each channel served since the beginning',
  response: channelUsage,
})
