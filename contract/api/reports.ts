import { z } from 'zod'
import { endpoint } from '../endpoint.ts'

/** What days can be grouped by. */
export const reportGroups = ['day', 'channel', 'model'] as const

const day = z.iso.date({ error: 'must be a date such as 2026-11-23' })

const reportRow = z.strictObject({
  /** UTC; null where not grouped by it, like the others. */
  day: z.string().nullable(),
  /** 0: calls that reached no channel. */
  channel_id: z.int().nullable(),
  channel_name: z.string().nullable(),
  model_name: z.string().nullable(),
  requests: z.int(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  /** What customers were charged. */
  cost: z.string(),
  uncollected: z.string(),
  /** What the upstreams ask for, of the calls whose cost price is known. */
  upstream_cost: z.string(),
  /** `cost` without `unknown_cost_sales`, less `upstream_cost`. */
  margin: z.string(),
  /** Sales and number of the calls whose cost price is not known: they are in no margin. */
  unknown_cost_sales: z.string(),
  unknown_cost_requests: z.int(),
})
export type ReportRow = z.input<typeof reportRow>

export const dailyReport = endpoint({
  method: 'GET',
  path: '/api/reports/daily',
  access: 'finance',
  summary: 'Selling price, cost price and margin by day (UTC), channel and model',
  query: z.object({
    from: day,
    to: day,
    /** With commas between; all three by default. */
    group_by: z
      .string()
      .default(reportGroups.join(','))
      .transform((text) => text.split(','))
      .pipe(z.array(z.enum(reportGroups)).min(1)),
  }),
  response: z.strictObject({ items: z.array(reportRow), totals: reportRow, truncated: z.boolean() }),
})
