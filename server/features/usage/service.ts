import type { UsageQuery } from '../../../contract/api/usage.ts'
import { AppError } from '../../../contract/errors.ts'
import { ZERO, type Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { UsageCounts } from '../../db/schema.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime, DAY_MS, QUARTER_MS } from '../../lib/clock.ts'
import { queryTime } from '../../lib/query-time.ts'
import { channelNames } from '../channels/service.ts'
import { readMark } from '../settings/service.ts'
import { userChannelWires } from '../user-channels/service.ts'
import { placesOf, type Part } from './places.ts'
import { kindFor, namesOf, sumBuckets, sumTail, type CountRow, type Filters, type Group, type Question } from './store.ts'
import { add } from './sums.ts'

type Db = Database['query']
type Counts = Partial<UsageCounts>

/** The range of a chart when none is asked for. */
const DEFAULT_DAYS = 30
/** Reads until the job did not run between two of them. */
const TRIES = 5

const groups = {
  none: undefined,
  model: 'model_name',
  channel: 'channel_id',
  user_channel: 'user_channel_id',
  user: 'user_id',
  key: 'api_key_id',
} as const satisfies Record<UsageQuery['group_by'], Group | undefined>

interface Answer<T, P> {
  from: string
  to: string
  tz: string
  buckets: string[]
  series: { key: string; name: string; totals: T; points: P[] }[]
  totals: T
  previous: T | null
}

/** How sums are shown: a user does not see what they earned. */
export interface Shown<T, P> {
  totals(sum: Counts): T
  point(sum: Counts): P
}

/**
 * Use over time from the buckets and the calls that are not in them yet: exact at any moment, whatever the number of calls.
 * @throws AppError bad_request for a range, zone or combination of filters that cannot be answered
 */
export async function usageOf<T, P>(deps: Pick<Deps, 'db' | 'clock'>, query: UsageQuery, shown: Shown<T, P>): Promise<Answer<T, P>> {
  const db = deps.db.query
  const { from, before } = rangeOf(query, deps.clock.now())
  const group = groups[query.group_by]
  const filters: Filters = {
    user_id: query.user_id,
    api_key_id: query.api_key_id,
    channel_id: query.channel_id,
    user_channel_id: query.user_channel_id,
    model_name: query.model_name,
  }
  const kind = kindFor(filters, group)
  if (!kind)
    throw new AppError('bad_request', {
      message: 'group_by: cannot be combined with these filters; keys and models of one user need user_id, channels stand alone',
      param: 'group_by',
    })
  const places = placesOf(from, before, query.bucket, query.tz)
  const whole: Question = { kind, filters, group, from, before, place: undefined }

  const byKey = sumBy(await rowsOf(db, whole), (row) => String(row.key))
  const largest = [...byKey].toSorted(([, a], [, b]) => compare(b, a)).map(([key]) => key)
  const top = new Set(largest.slice(0, query.top))
  const seriesOf = (key: string): string => (top.has(key) ? key : OTHER)
  const sums = new Map<string, Counts>()
  const total: Counts = {}
  for (const [key, sum] of byKey) {
    add(total, sum)
    add(entry(sums, seriesOf(key)), sum)
  }
  const points = new Map<string, Counts[]>()
  for (const part of places.parts) {
    for (const row of await rowsOf(db, questionOf(whole, part))) {
      const series = seriesOf(String(row.key))
      const list = points.get(series) ?? places.starts.map((): Counts => ({}))
      points.set(series, list)
      const { place, key: _, ...counts } = row
      add(list[part.index(place)] ?? {}, counts)
    }
  }
  const names = await nameOf(db, group, [...top])
  const order = [...largest.filter((key) => top.has(key)), ...(sums.has(OTHER) ? [OTHER] : [])]
  const previous = query.compare ? await rowsOf(db, { ...whole, group: undefined, from: from - (before - from), before: from }) : undefined
  return {
    from: isoTime(from),
    to: isoTime(before),
    tz: query.tz,
    buckets: places.starts.map(isoTime),
    series: order.map((key) => ({
      key: key === OTHER ? 'other' : key,
      name: key === OTHER ? '' : (names.get(key) ?? ''),
      totals: shown.totals(sums.get(key) ?? {}),
      points: (points.get(key) ?? places.starts.map((): Counts => ({}))).map(shown.point),
    })),
    totals: shown.totals(total),
    previous: previous ? shown.totals(sumBy(previous, () => '').get('') ?? {}) : null,
  }
}

/** The sums of everything, by a group. */
export async function allTimeBy(deps: Pick<Deps, 'db' | 'clock'>, group: 'channel_id' | 'user_channel_id'): Promise<Map<number, Counts>> {
  const question = { kind: 'channel' as const, filters: {}, group, from: 0, before: endOf(deps.clock.now()), place: undefined }
  return sumBy(await rowsOf(deps.db.query, question), (row) => Number(row.key))
}

/** The sums since the last midnight (UTC), of one user or of all. */
export async function today(deps: Pick<Deps, 'db' | 'clock'>, userId?: number): Promise<Counts> {
  const now = deps.clock.now()
  const from = Math.floor(now / DAY_MS) * DAY_MS
  const filters = userId === undefined ? {} : { user_id: userId }
  const question = { kind: userId === undefined ? ('site' as const) : ('own' as const), filters, group: undefined }
  const rows = await rowsOf(deps.db.query, { ...question, from, before: endOf(now), place: undefined })
  return sumBy(rows, () => '').get('') ?? {}
}

/**
 * What a user used by model or key (0: none), the dearest first; calls that a meta model made for him count as calls. The times are at
 * quarters of an hour, which every zone's midnight is.
 */
export async function usedBy(
  deps: Pick<Deps, 'db'>,
  userId: number,
  group: 'model_name' | 'api_key_id',
  from: number,
  before: number,
): Promise<{ key: string; name: string; requests: number; cost: Money }[]> {
  const db = deps.db.query
  const question = { kind: 'own' as const, filters: { user_id: userId }, group, from, before, place: undefined }
  const sums = sumBy(await rowsOf(db, question), (row) => String(row.key))
  const names = await nameOf(db, group, [...sums.keys()])
  return [...sums]
    .map(([key, sum]) => ({
      key,
      name: names.get(key) ?? '',
      requests: (sum.requests ?? 0) + (sum.parts ?? 0),
      cost: sum.cost ?? ZERO,
    }))
    .toSorted((a, b) => (a.cost === b.cost ? (a.key < b.key ? -1 : 1) : a.cost > b.cost ? -1 : 1))
}

/** No model or number is called so. */
const OTHER = '\u0000other'

/** Rows from the buckets and from the calls behind their mark, seen at one moment of the job. */
async function rowsOf(db: Db, question: Question): Promise<CountRow[]> {
  for (let attempt = 1; ; attempt += 1) {
    const mark = await readMark(db, 'mark.usage')
    const rows = [...(await sumBuckets(db, question)), ...(await sumTail(db, question, mark))]
    if (attempt === TRIES || (await readMark(db, 'mark.usage')) === mark) return rows
  }
}

/** A part of the range as a question, its end at most that of the range. */
function questionOf(whole: Question, part: Part): Question {
  return { ...whole, from: part.from, before: part.before, place: part.place }
}

function sumBy<K>(rows: readonly CountRow[], keyOf: (row: CountRow) => K): Map<K, Counts> {
  const sums = new Map<K, Counts>()
  for (const row of rows) {
    const { place: _, key: __, ...counts } = row
    // Without groups the database answers one row of nulls for nothing.
    if (Object.values(counts).some((value) => value !== null && value !== 0)) add(entry(sums, keyOf(row)), counts)
  }
  return sums
}

function entry<K>(sums: Map<K, Counts>, key: K): Counts {
  const there = sums.get(key) ?? {}
  sums.set(key, there)
  return there
}

/** By cost, then by calls. */
function compare(a: Counts, b: Counts): number {
  const difference = (a.cost ?? 0n) - (b.cost ?? 0n)
  return difference === 0n ? (a.requests ?? 0) - (b.requests ?? 0) : difference > 0n ? 1 : -1
}

function rangeOf(query: UsageQuery, now: number): { from: number; before: number } {
  const before = queryTime(query.to, 'end') ?? endOf(now)
  const from = queryTime(query.from, 'start') ?? before - DEFAULT_DAYS * DAY_MS
  if (before <= from) throw new AppError('bad_request', { message: 'to: must be after from', param: 'to' })
  return { from: Math.floor(from / QUARTER_MS) * QUARTER_MS, before: Math.ceil(before / QUARTER_MS) * QUARTER_MS }
}

function endOf(now: number): number {
  return Math.floor(now / QUARTER_MS) * QUARTER_MS + QUARTER_MS
}

async function nameOf(db: Db, group: Group | undefined, keys: readonly string[]): Promise<Map<string, string>> {
  if (group === undefined) return new Map()
  if (group === 'model_name') return new Map(keys.map((key) => [key, key]))
  const ids = keys.map(Number)
  if (group === 'user_channel_id') return new Map([...(await userChannelWires(db))].map(([id, { name }]) => [String(id), name]))
  const names = group === 'channel_id' ? await channelNames(db, ids) : await namesOf(db, group === 'user_id' ? 'users' : 'api_keys', ids)
  return new Map([...names].map(([id, name]) => [String(id), name]))
}
