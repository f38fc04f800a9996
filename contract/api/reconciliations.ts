import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { idParams, pageQuery, pageSchema, time } from './common.ts'

/** Usage files that are understood: the vendors' own exports (CSV of their console, JSON of their usage API) and a plain form. */
export const usageFormats = ['openai', 'anthropic', 'plain'] as const
export type UsageFormat = (typeof usageFormats)[number]

/** Largest file: a year of a busy account by day, model and key is some MiB. */
const MAX_FILE_CHARS = 10 * 1024 * 1024

const difference = z.strictObject({
  /** UTC; null: not of a day. */
  day: z.string().nullable(),
  /** The upstream's model, or what of the books. */
  subject: z.string(),
  field: z.string(),
  ours: z.string(),
  theirs: z.string(),
  /** Why it is no error; "" when nothing explains it. */
  rule: z.string(),
})
const fields = {
  id: z.int(),
  /** upstream: an imported usage file; books: the audit of every day. */
  kind: z.enum(['upstream', 'books']),
  channel_id: z.int().nullable(),
  channel_name: z.string().nullable(),
  file_name: z.string(),
  format: z.string(),
  from: z.string(),
  to: z.string(),
  rows: z.int(),
  /** Those that no rule explains. */
  difference_count: z.int(),
  status: z.enum(['equal', 'different']),
  created_at: time,
  checked_at: time,
}
const reconciliation = z.strictObject(fields)
const reconciliationDetail = z.strictObject({ ...fields, differences: z.array(difference) })

export type ReconciliationWire = z.input<typeof reconciliation>
export type ReconciliationDetail = z.input<typeof reconciliationDetail>

const columnName = z.string().min(1).max(100)

export const listReconciliations = endpoint({
  method: 'GET',
  path: '/api/reconciliations',
  access: 'finance',
  summary: 'Comparisons with the upstreams and of the books, newest first',
  query: pageQuery,
  response: pageSchema(reconciliation),
})
export const getReconciliation = endpoint({
  method: 'GET',
  path: '/api/reconciliations/:id',
  access: 'finance',
  summary: 'A comparison with every difference: per day, model and field',
  params: idParams('Invalid reconciliation id'),
  response: reconciliationDetail,
})
export const importUsage = endpoint({
  method: 'POST',
  path: '/api/reconciliations',
  access: 'finance',
  summary: "Compares an upstream's own usage file with what its channel's calls were written down as",
  body: z.object({
    channel_id: z.int().positive({ error: 'Invalid channel id' }),
    format: z.enum(usageFormats),
    file_name: z.string().max(200).default(''),
    /** The text of the file, CSV or JSON. */
    content: z.string().min(1).max(MAX_FILE_CHARS),
    /** For `plain`: which column or member says what, where it is not called as here. */
    columns: z
      .object({
        day: columnName,
        model: columnName,
        requests: columnName,
        input_tokens: columnName,
        cached_input_tokens: columnName,
        cache_write_input_tokens: columnName,
        output_tokens: columnName,
        cost: columnName,
      })
      .partial()
      .default({}),
  }),
  response: reconciliationDetail,
})
export const recheckReconciliation = endpoint({
  method: 'POST',
  path: '/api/reconciliations/:id/check',
  access: 'finance',
  summary: 'Compares an imported file again',
  params: idParams('Invalid reconciliation id'),
  response: reconciliationDetail,
})
