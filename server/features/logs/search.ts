import { AppError } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import { keyOwner } from '../api-keys/service.ts'
import { daysOfModel } from '../reports/service.ts'
import { readMark } from '../settings/service.ts'
import { whereCalls, type Where } from '../usage/where.ts'
import { boundary, countIn, idsAround, idsIn, oldestTime, type LogFilters, type Point, type Road, type Slice } from './search/store.ts'
import { DAY_MS, QUARTER_MS } from '../../lib/clock.ts'
import { nextTurn } from '../../lib/turn.ts'

type Query = Database['query']

/** Rows that one statement looks at: a few milliseconds, after which others have their turn. */
const SLICE = 2_000
/** Slices that are looked at for one page: a million rows, in two or three seconds; then a shorter time must be asked for. */
const MAX_SLICES = 500
/** Slices that are counted at least where no bucket knows the number: the total is then that of fifty thousand rows. */
const COUNTED_SLICES = 25
/** Calls of a user that are looked through one by one, rather than where they are among everybody's. */
const FEW = 20_000
/** So many of a user are looked through where the page should be found in the first FEW of them. */
const MANY = 200_000
/** What the last slice of a road counts for, which is mostly a short one: a quiet quarter of an hour. */
const PARTIAL = 0.1
/** Searches until no calls were added to the buckets between their beginning and their end. */
const TRIES = 3
/** Where mostly nothing fits, fewer and longer ranges are quicker, though they have calls of no use. */
const MAX_GAP_MS = 7_200_000
/** Later than any call. */
const END_OF_TIME = 8_640_000_000_000_000

export interface Found {
  /** Newest first. */
  ids: number[]
  total: number
}

/**
 * A page of the calls that fit, and how many there are. The usage buckets tell where calls of a key, channel or model are, so the log
 * needs no index by them. Of a combination that they do not tell, and of an end reason, the total counts what was looked through: it
 * is never less than what the page shows.
 * @param few calls of a user that are looked through one by one
 * @throws AppError search_too_broad
 */
export async function searchLogs(db: Query, filters: LogFilters, limit: number, offset: number, few = FEW): Promise<Found> {
  const asked = { ...filters, ...(await idsAround(db, filters.from, filters.before)) }
  // The buckets know also the calls that left the log.
  const since = Math.max(filters.from ?? 0, (await oldestTime(db)) ?? 0)
  if (filters.userId === undefined && filters.apiKeyId !== undefined) asked.userId = await keyOwner(db, filters.apiKeyId)
  for (let attempt = 1; ; attempt += 1) {
    const mark = await readMark(db, 'mark.usage')
    const found = await find(db, asked, since, mark, limit, offset, few)
    if (attempt === TRIES || (await readMark(db, 'mark.usage')) === mark) return found
  }
}

async function find(
  db: Query,
  filters: LogFilters,
  since: number,
  usageMark: number,
  limit: number,
  offset: number,
  few: number,
): Promise<Found> {
  const { userId, endReason, afterId, beforeId } = filters
  const walk = new Walk(db, filters, since, limit, offset)
  if (endReason !== undefined && endReason !== 'complete') {
    await walk.along({ by: 'id', endReason, afterId, beforeId }, 'count')
    return { ids: walk.ids, total: walk.seen }
  }
  const where = whereCalls(db, filters)
  const firstDay = Math.floor(since / DAY_MS) * DAY_MS
  const busy = await where.days(firstDay, filters.before ?? END_OF_TIME)
  const { days, mark } = await narrowed(db, filters, busy, usageMark)
  const narrow = filters.apiKeyId ?? filters.userChannelId ?? filters.channelId ?? filters.modelText
  const own = narrow === undefined || userId === undefined ? undefined : await callsOf(db, userId)
  const alongUser = own !== undefined && (own <= few || (own <= MANY && (own / (sumOf(days) || 1)) * (offset + limit) <= few))
  const exact = where.exact && endReason === undefined
  const tail: Road = { by: 'id', afterId: Math.max(mark, afterId ?? 0), beforeId }
  const alone: Road = { by: 'id', userId, afterId, beforeId }
  const all = narrow === undefined && exact && filters.from === undefined && filters.before === undefined
  // All rows of the road are asked for: the index alone finds the page.
  if (all) walk.ids.push(...(await idsIn(db, { road: alone }, {}, limit, offset)))
  else if (narrow === undefined || alongUser) await walk.along(alone, exact ? 'page' : 'count')
  else {
    await walk.along(tail, 'count')
    await walk.days(where, days, exact, mark)
  }
  if (!exact) return { ids: walk.ids, total: walk.seen }
  const total = new Walk(db, filters, since, 0, 0)
  await total.along(tail, 'count')
  for (const day of days) await total.count(where, day, mark)
  return { ids: walk.ids, total: total.seen }
}

/**
 * Of a model on a channel the buckets know only when both were busy; the reports' totals know on which days they were it together, of
 * calls up to a mark of their own.
 */
async function narrowed(
  db: Query,
  { userId, channelId, modelText }: LogFilters,
  days: Stretch[],
  usageMark: number,
): Promise<{ days: Stretch[]; mark: number }> {
  if (userId !== undefined || channelId === undefined || modelText === undefined || days.length === 0) return { days, mark: usageMark }
  const mark = Math.min(usageMark, await readMark(db, 'mark.daily_totals'))
  const known = await daysOfModel(db, channelId, modelText, (days.at(-1)?.[0] ?? 0) / DAY_MS)
  return { days: days.filter(([start]) => known.has(start / DAY_MS)), mark }
}

async function callsOf(db: Query, userId: number): Promise<number> {
  return sumOf(await whereCalls(db, { userId }).days(0, END_OF_TIME))
}

function sumOf(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, [, calls]) => sum + calls, 0)
}

/** Goes through calls from the newest on, a slice at a time, and takes the page from those that fit. */
class Walk {
  readonly #db: Query
  readonly #filters: LogFilters
  /** From when on calls are looked for. */
  readonly #since: number
  readonly #limit: number
  readonly #offset: number
  /** Slices that were looked at. */
  #effort = 0
  readonly ids: number[] = []
  /** Calls that fit, of those that were passed. */
  seen = 0

  constructor(db: Query, filters: LogFilters, since: number, limit: number, offset: number) {
    this.#db = db
    this.#filters = filters
    this.#since = since
    this.#limit = limit
    this.#offset = offset
  }

  get #done(): boolean {
    return this.seen >= this.#offset + this.#limit
  }

  /** To the end of the page; with `count` on to the end of the road, as far as may be counted. */
  async along(road: Road, until: 'page' | 'count'): Promise<void> {
    for (let high: Point | undefined; ;) {
      if (this.#done && (until === 'page' || this.#effort >= COUNTED_SLICES)) return
      if (this.#effort >= MAX_SLICES) throw new AppError('search_too_broad')
      const low = await boundary(this.#db, road, high, SLICE)
      await this.#pass({ road, low, high }, until)
      if (!low) return
      high = low
    }
  }

  async #pass(slice: Slice, until: 'page' | 'count'): Promise<void> {
    this.#effort += slice.low ? 1 : PARTIAL
    // Calls go on between two of them.
    await nextTurn()
    const skip = Math.max(0, this.#offset - this.seen)
    const wanted = this.#limit - this.ids.length
    const take = (): Promise<number[]> => idsIn(this.#db, slice, this.#filters, wanted, skip)
    if (until === 'page' && skip === 0) {
      // The rest of the slice need not be read once the page is full.
      const ids = await take()
      this.ids.push(...ids)
      this.seen += ids.length
      return
    }
    // A full slice of a road that has what fits and nothing else is as long as a slice.
    const count = slice.low && hasOnly(slice.road, this.#filters) ? SLICE : await countIn(this.#db, slice, this.#filters)
    if (wanted > 0 && count > skip) this.ids.push(...(await take()))
    this.seen += count
  }

  /** Through the quarters of an hour that have calls, passing by those whose number is known and that are on earlier pages. */
  async days(where: Where, days: readonly Stretch[], exact: boolean, upToId: number): Promise<void> {
    for (const day of days) {
      if (this.#done && (exact || this.#effort >= COUNTED_SLICES)) return
      if (exact && this.#passBy(day, DAY_MS)) continue
      const quarters = await where.quarters(day[0], day[0] + DAY_MS)
      const first = exact ? quarters.findIndex((quarter) => !this.#passBy(quarter, QUARTER_MS)) : 0
      for (const range of joined(first === -1 ? [] : quarters.slice(first), exact ? 0 : MAX_GAP_MS))
        await this.along(this.#roadOf(range, upToId), exact ? 'page' : 'count')
    }
  }

  /** Adds what a day has: its number where all of it is asked for, else that of its quarters, and of the first and last what is there. */
  async count(where: Where, day: Stretch, upToId: number): Promise<void> {
    if (this.#isWhole(day, DAY_MS)) {
      this.seen += day[1]
      return
    }
    for (const quarter of await where.quarters(day[0], day[0] + DAY_MS)) {
      if (this.#isWhole(quarter, QUARTER_MS)) this.seen += quarter[1]
      else for (const range of joined([quarter])) await this.along(this.#roadOf(range, upToId), 'count')
    }
  }

  #passBy(stretch: Stretch, span: number): boolean {
    if (this.seen + stretch[1] > this.#offset || !this.#isWhole(stretch, span)) return false
    this.seen += stretch[1]
    return true
  }

  #isWhole([start]: Stretch, span: number): boolean {
    return start >= this.#since && start + span <= (this.#filters.before ?? END_OF_TIME)
  }

  #roadOf({ from, before }: Range, upToId: number): Road {
    return {
      by: 'time',
      from: Math.max(from, this.#since),
      before: Math.min(before, this.#filters.before ?? END_OF_TIME),
      upToId,
    }
  }
}

/** Whether every row of the road fits. */
function hasOnly(road: Road, { userId, endReason, apiKeyId, userChannelId, channelId, modelText, from, before }: LogFilters): boolean {
  if (road.by === 'time' || userId !== road.userId || endReason !== road.endReason) return false
  return [apiKeyId, userChannelId, channelId, modelText, from, before].every((filter) => filter === undefined)
}

type Stretch = [start: number, calls: number]

interface Range {
  from: number
  before: number
}

/** Quarters, newest first, as ranges: those that follow one another, with a gap at most, are one. */
function joined(quarters: readonly Stretch[], gap = 0): Range[] {
  const ranges: Range[] = []
  for (const [start] of quarters) {
    const last = ranges.at(-1)
    if (last && last.from - start - QUARTER_MS <= gap) last.from = start
    else ranges.push({ from: start, before: start + QUARTER_MS })
  }
  return ranges
}
