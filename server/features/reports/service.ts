import type { ReportRow } from '../../../contract/api/reports.ts'
import { AppError } from '../../../contract/errors.ts'
import { formatMoney, money, ZERO } from '../../../contract/money.ts'
import type { Deps } from '../../http/deps.ts'
import { readMark } from '../settings/service.ts'
import {
  channelNames,
  selectChannelTail,
  selectChannelTotals,
  selectDaysOfModel,
  selectTail,
  selectTotals,
  type ChannelTotalRow,
  type Group,
  type TotalRow,
} from './store.ts'
import { DAY_MS } from '../../lib/clock.ts'

/** Days of one report: a year and a day. */
const MAX_DAYS = 367
/** Rows of one answer. */
const MAX_ROWS = 10_000
/** Reads until the job did not run between two of them. */
const TRIES = 5

interface Report {
  items: ReportRow[]
  totals: ReportRow
  truncated: boolean
}

/**
 * Selling price, cost price and margin of the days from `from` to `to` (both `YYYY-MM-DD`, UTC): the totals and the calls
 * that are not in them yet, so that it is exact at any moment.
 * @throws AppError bad_request when the range is upside down or too long
 */
export async function dailyReportOf(deps: Pick<Deps, 'db'>, from: string, to: string, groups: readonly Group[]): Promise<Report> {
  const range = { fromDay: Date.parse(from) / DAY_MS, toDay: Date.parse(to) / DAY_MS }
  if (range.toDay < range.fromDay || range.toDay - range.fromDay >= MAX_DAYS)
    throw new AppError('bad_request', { message: `to: must be from ${from} on and at most ${MAX_DAYS} days of it`, param: 'to' })
  const names = await channelNames(deps.db.query)
  const rows = await totalsOf(deps, range, groups)
  const kept = rows.slice(0, MAX_ROWS)
  return {
    items: kept.map((row) => wireOf(row, names)),
    totals: wireOf((await totalsOf(deps, range, ['day'])).reduce(plus, EMPTY), names),
    truncated: rows.length > MAX_ROWS,
  }
}

/**
 * What our rows say of a channel's use, per day and model of the upstream; the cost is that of the calls whose cost price
 * is known.
 */
export async function usageOfChannel(
  { db }: Pick<Deps, 'db'>,
  channelId: number,
  fromDay: number,
  toDay: number,
): Promise<ChannelTotalRow[]> {
  const range = { fromDay, toDay }
  for (let attempt = 1; ; attempt += 1) {
    const mark = await readMark(db.query, 'mark.daily_totals')
    const rows = await selectChannelTotals(db.query, channelId, range)
    const tail = await selectChannelTail(db.query, channelId, range, mark)
    if ((await readMark(db.query, 'mark.daily_totals')) !== mark && attempt < TRIES) continue
    const byKey = new Map(rows.map((row) => [`${row.day} ${row.model}`, row]))
    for (const row of tail) {
      const before = byKey.get(`${row.day} ${row.model}`)
      byKey.set(`${row.day} ${row.model}`, before ? plusChannel(before, row) : row)
    }
    return [...byKey.values()]
  }
}

/**
 * The days (since 1970-01-01, UTC) from one on with calls of a channel whose model has this text in its name, whatever the case: of the
 * calls up to `mark.daily_totals`.
 */
export async function daysOfModel(db: Deps['db']['query'], channelId: number, modelText: string, fromDay: number): Promise<Set<number>> {
  return new Set(await selectDaysOfModel(db, channelId, modelText, fromDay))
}

function plusChannel(a: ChannelTotalRow, b: ChannelTotalRow): ChannelTotalRow {
  return {
    ...a,
    requests: a.requests + b.requests,
    input_tokens: a.input_tokens + b.input_tokens,
    cached_input_tokens: a.cached_input_tokens + b.cached_input_tokens,
    cache_write_input_tokens: a.cache_write_input_tokens + b.cache_write_input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    upstream_cost: money(a.upstream_cost + b.upstream_cost),
  }
}

/** Sums of calls of days (since 1970-01-01, UTC), ordered by day, channel and model. */
async function totalsOf(
  { db }: Pick<Deps, 'db'>,
  range: { fromDay: number; toDay: number },
  groups: readonly Group[],
): Promise<TotalRow[]> {
  for (let attempt = 1; ; attempt += 1) {
    const mark = await readMark(db.query, 'mark.daily_totals')
    const settled = await selectTotals(db.query, range, groups, MAX_ROWS + 1)
    const tail = await selectTail(db.query, range, mark, groups)
    // A run of the job between the two reads would count rows twice or not at all.
    if ((await readMark(db.query, 'mark.daily_totals')) !== mark && attempt < TRIES) continue
    const byKey = new Map<string, TotalRow>()
    for (const row of [...settled, ...tail]) {
      if (row.requests === 0) continue
      const key = JSON.stringify([row.day, row.channel_id, row.model_name])
      const before = byKey.get(key)
      byKey.set(key, before ? plus(before, row) : row)
    }
    return [...byKey.values()].toSorted(
      (a, b) =>
        (a.day ?? 0) - (b.day ?? 0) || (a.channel_id ?? 0) - (b.channel_id ?? 0) || ((a.model_name ?? '') < (b.model_name ?? '') ? -1 : 1),
    )
  }
}

const EMPTY: TotalRow = {
  day: null,
  channel_id: null,
  model_name: null,
  requests: 0,
  input_tokens: 0,
  cached_input_tokens: 0,
  cache_write_input_tokens: 0,
  cache_write_1h_input_tokens: 0,
  output_tokens: 0,
  cost: ZERO,
  uncollected: ZERO,
  upstream_cost: ZERO,
  unknown_cost_sales: ZERO,
  unknown_cost_requests: 0,
}

/** The sum of two, under the first one's key. */
function plus(a: TotalRow, b: TotalRow): TotalRow {
  return {
    ...a,
    requests: a.requests + b.requests,
    input_tokens: a.input_tokens + b.input_tokens,
    cached_input_tokens: a.cached_input_tokens + b.cached_input_tokens,
    cache_write_input_tokens: a.cache_write_input_tokens + b.cache_write_input_tokens,
    cache_write_1h_input_tokens: a.cache_write_1h_input_tokens + b.cache_write_1h_input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    cost: money(a.cost + b.cost),
    uncollected: money(a.uncollected + b.uncollected),
    upstream_cost: money(a.upstream_cost + b.upstream_cost),
    unknown_cost_sales: money(a.unknown_cost_sales + b.unknown_cost_sales),
    unknown_cost_requests: a.unknown_cost_requests + b.unknown_cost_requests,
  }
}

function wireOf(row: TotalRow, names: ReadonlyMap<number, string>): ReportRow {
  return {
    day: row.day === null ? null : new Date(row.day * DAY_MS).toISOString().slice(0, 10),
    channel_id: row.channel_id,
    channel_name: row.channel_id === null ? null : (names.get(row.channel_id) ?? ''),
    model_name: row.model_name,
    requests: row.requests,
    input_tokens: row.input_tokens,
    output_tokens: row.output_tokens,
    cost: formatMoney(row.cost),
    uncollected: formatMoney(row.uncollected),
    upstream_cost: formatMoney(row.upstream_cost),
    margin: formatMoney(money(row.cost - row.unknown_cost_sales - row.upstream_cost)),
    unknown_cost_sales: formatMoney(row.unknown_cost_sales),
    unknown_cost_requests: row.unknown_cost_requests,
  }
}
