import { z } from 'zod'
import type { UsageFormat } from '../../../contract/api/reconciliations.ts'
import { AppError } from '../../../contract/errors.ts'
import { money, parseMoney, type Money } from '../../../contract/money.ts'
import { CsvFault, readCsv } from '../../lib/csv.ts'
import { DAY_MS } from '../../lib/clock.ts'

/** Rows of a file: a year by day, model and key. */
const MAX_ROWS = 200_000

/** What an upstream says of a day (UTC, since 1970-01-01) and model. `input` has cache reads and writes in it, as our rows have. */
export interface UsageRow {
  day: number
  model: string
  requests: number | null
  input_tokens: number | null
  cached_input_tokens: number | null
  cache_write_input_tokens: number | null
  output_tokens: number | null
  upstream_cost: Money | null
}
export type UsageField = Exclude<keyof UsageRow, 'day' | 'model'>

/** A row by the names of its columns or members. */
type Named = Readonly<Record<string, unknown>>
type Reader = (row: Named, place: string) => UsageRow

/**
 * Reads a usage file, each day and model once: its rows are added up over keys, projects and whatever else it is split by.
 * @throws AppError usage_file_unreadable, saying where
 */
export function readUsage(format: UsageFormat, text: string, columns: Readonly<Record<string, string | undefined>>): UsageRow[] {
  const rows = rowsOf(text)
  const read = readers[format](columns)
  const byKey = new Map<string, UsageRow>()
  rows.forEach((row, index) => {
    const one = read(row, `row ${index + 1}`)
    const key = `${one.day} ${one.model}`
    const before = byKey.get(key)
    byKey.set(key, before ? plus(before, one) : one)
  })
  if (byKey.size === 0) throw fault('it has no rows')
  return [...byKey.values()]
}

const page = z.object({ data: z.array(z.object({ results: z.array(z.record(z.string(), z.unknown())) }).catchall(z.unknown())) })
const list = z.array(z.record(z.string(), z.unknown()))

/** Rows of a CSV with a header, of a JSON list, or of the pages both vendors' usage APIs answer (`data[].results[]`). */
function rowsOf(text: string): Named[] {
  if (/^\s*[[{]/.test(text)) {
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      throw fault('it is not JSON')
    }
    const paged = page.safeParse(json)
    const rows = paged.success
      ? paged.data.data.flatMap(({ results, ...bucket }) => results.map((result) => ({ ...bucket, ...result })))
      : list.safeParse(json).data
    if (!rows) throw fault('it is neither a list nor an answer of a usage API')
    if (rows.length > MAX_ROWS) throw fault(`more than ${MAX_ROWS} rows`)
    return rows
  }
  try {
    const [header = [], ...rows] = readCsv(text, MAX_ROWS + 1)
    return rows.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index] ?? ''])))
  } catch (error) {
    throw error instanceof CsvFault ? fault(error.message) : error
  }
}

/**
 * Columns of each format. OpenAI: the export of its usage page and `GET /v1/organization/usage/completions`, whose input has
 * the cached part in it. Anthropic: the console's export and `GET /v1/organizations/usage_report/messages`, whose parts are
 * apart. Both must be grouped by model.
 */
const readers: Record<UsageFormat, (columns: Readonly<Record<string, string | undefined>>) => Reader> = {
  openai: () => (row, place) => ({
    day: dayOf(first(row, 'start_time_iso', 'start_time', 'date'), place),
    model: modelOf(first(row, 'model', 'snapshot_id'), place),
    requests: count(row['num_model_requests'], place),
    input_tokens: count(row['input_tokens'], place),
    cached_input_tokens: count(row['input_cached_tokens'], place),
    cache_write_input_tokens: count(row['input_cache_write_tokens'], place),
    output_tokens: count(row['output_tokens'], place),
    upstream_cost: null,
  }),
  anthropic: () => (row, place) => {
    const nested = z.record(z.string(), z.unknown()).safeParse(row['cache_creation']).data ?? {}
    const part = (...values: unknown[]): number => values.reduce<number>((sum, value) => sum + (count(value, place) ?? 0), 0)
    const fresh = first(row, 'usage_input_tokens_no_cache', 'uncached_input_tokens')
    if (fresh === undefined) throw fault(`${place}: no uncached input tokens`)
    const written = part(
      first(row, 'usage_input_tokens_cache_write_5m') ?? nested['ephemeral_5m_input_tokens'],
      first(row, 'usage_input_tokens_cache_write_1h') ?? nested['ephemeral_1h_input_tokens'],
    )
    const cached = part(first(row, 'usage_input_tokens_cache_read', 'cache_read_input_tokens'))
    return {
      day: dayOf(first(row, 'usage_date_utc', 'starting_at'), place),
      model: modelOf(first(row, 'model_version', 'model'), place),
      requests: null,
      input_tokens: part(fresh) + cached + written,
      cached_input_tokens: cached,
      cache_write_input_tokens: written,
      output_tokens: count(first(row, 'usage_output_tokens', 'output_tokens'), place),
      upstream_cost: null,
    }
  },
  plain: (columns) => (row, place) => {
    const of = (name: string): unknown => row[columns[name] ?? name]
    return {
      day: dayOf(of('day'), place),
      model: modelOf(of('model'), place),
      requests: count(of('requests'), place),
      input_tokens: count(of('input_tokens'), place),
      cached_input_tokens: count(of('cached_input_tokens'), place),
      cache_write_input_tokens: count(of('cache_write_input_tokens'), place),
      output_tokens: count(of('output_tokens'), place),
      upstream_cost: costOf(of('cost'), place),
    }
  },
}

function first(row: Named, ...names: string[]): unknown {
  return names.map((name) => row[name]).find((value) => value !== undefined && value !== null && value !== '')
}

/** A day of UTC: seconds since 1970, or a text that begins with a date. */
function dayOf(value: unknown, place: string): number {
  const text = textOf(value)
  if (/^\d{9,11}(\.0)?$/.test(text)) return Math.floor(Number(text) / 86_400)
  const date = /^\d{4}-\d\d-\d\d/.exec(text)?.[0]
  const epoch = date === undefined ? Number.NaN : Date.parse(`${date}T00:00:00Z`)
  if (Number.isNaN(epoch)) throw fault(`${place}: no day`)
  return epoch / DAY_MS
}

function modelOf(value: unknown, place: string): string {
  if (typeof value !== 'string' || value === '' || value.length > 200) throw fault(`${place}: no model; the file must be grouped by model`)
  return value
}

/** A cell or a JSON number as text; anything else is no value. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '?'
}

/** A whole number, null where the file says nothing. */
function count(value: unknown, place: string): number | null {
  if (value === undefined || value === null || value === '') return null
  const text = textOf(value)
  if (!/^\d{1,15}(\.0+)?$/.test(text)) throw fault(`${place}: "${text.slice(0, 40)}" is no count`)
  return Number(text)
}

function costOf(value: unknown, place: string): Money | null {
  if (value === undefined || value === null || value === '') return null
  const amount = parseMoney(textOf(value))
  if (amount === undefined || amount < 0n) throw fault(`${place}: the cost is no plain decimal`)
  return amount
}

function plus(a: UsageRow, b: UsageRow): UsageRow {
  const sum = (x: number | null, y: number | null): number | null => (x === null && y === null ? null : (x ?? 0) + (y ?? 0))
  const known = a.upstream_cost !== null || b.upstream_cost !== null
  return {
    day: a.day,
    model: a.model,
    requests: sum(a.requests, b.requests),
    input_tokens: sum(a.input_tokens, b.input_tokens),
    cached_input_tokens: sum(a.cached_input_tokens, b.cached_input_tokens),
    cache_write_input_tokens: sum(a.cache_write_input_tokens, b.cache_write_input_tokens),
    output_tokens: sum(a.output_tokens, b.output_tokens),
    upstream_cost: known ? money((a.upstream_cost ?? 0n) + (b.upstream_cost ?? 0n)) : null,
  }
}

function fault(what: string): AppError {
  return new AppError('usage_file_unreadable', { message: `The usage file cannot be read: ${what}`, param: 'content' })
}
