import { sql, type RawBuilder } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { UsageCounts } from '../../db/schema.ts'
import { contains } from '../../db/search.ts'
import { countNames, counts, kinds, ofLog, type Kind } from './fold/store.ts'
import { DAY_MS, QUARTER_MS } from '../../lib/clock.ts'
import { nextTurn } from '../../lib/turn.ts'

type Tx = Database['query']

export type Group = 'model_name' | 'channel_id' | 'user_channel_id' | 'user_id' | 'api_key_id'

export interface Filters {
  model_name?: string | undefined
  api_key_id?: number | undefined
  channel_id?: number | undefined
  user_channel_id?: number | undefined
  user_id?: number | undefined
}

/** What is added up. */
export interface Question {
  kind: Kind
  filters: Filters
  group: Group | undefined
  /** Epoch ms, both at the beginning of a quarter of an hour; the end is exclusive. */
  from: number
  before: number
  /** Places of time: `(instant + shift) / width`, in ms; undefined: all of it is one. */
  place: { width: number; shift: number } | undefined
}

/** The counts that a chart is made of; percentiles come with the sums of all of it. */
const plain = countNames.filter((name) => !/^(first|whole)_/.test(name))

export type CountRow = Partial<UsageCounts> & { place: number; key: string | number }

/** Sums from the buckets, in as few rows as the range allows: whole days (UTC) where places need no less. */
export async function sumBuckets(db: Tx, question: Question): Promise<CountRow[]> {
  const { from, before, place } = question
  const firstDay = Math.ceil(from / DAY_MS) * DAY_MS
  const lastDay = Math.floor(before / DAY_MS) * DAY_MS
  const byDay = firstDay < lastDay && (!place || place.width === DAY_MS)
  if (!byDay) return sumSpan(db, question, QUARTER_MS, from, before)
  return [
    ...(from < firstDay ? await sumSpan(db, question, QUARTER_MS, from, firstDay) : []),
    ...(await sumDays(db, question, firstDay, lastDay)),
    ...(lastDay < before ? await sumSpan(db, question, QUARTER_MS, lastDay, before) : []),
  ]
}

/**
 * Whole days (UTC) by days of a zone. Its midnight cuts each in two: the quarters of the shorter piece are read and moved from the place
 * of the longer one to their own, so that a zone an hour off UTC reads one twenty-fourth of the quarters, and none more than half.
 */
async function sumDays(db: Tx, question: Question, from: number, before: number): Promise<CountRow[]> {
  const { place } = question
  const late = place ? modulo(place.shift, DAY_MS) : 0
  const whole = { ...question, place: place && { width: DAY_MS, shift: place.shift - late } }
  const rows = await sumSpan(db, whole, DAY_MS, from, before)
  if (!place || late === 0) return rows
  const isLateLonger = late * 2 > DAY_MS
  // The longer piece's place is what the whole day counts for.
  if (isLateLonger) for (const row of rows) row.place += 1
  const cut = DAY_MS - late
  const [start, end] = isLateLonger ? [0, cut] : [cut, DAY_MS]
  const days = [...new Set(rows.map((row) => row.place))]
  for (const longer of days) {
    const day = (longer - (isLateLonger ? 1 : 0)) * DAY_MS - (place.shift - late)
    for (const row of await sumPiece(db, { ...question, place: undefined }, QUARTER_MS, day + start, day + end, plain)) {
      rows.push({ ...row, place: longer + (isLateLonger ? -1 : 1) }, { ...negated(row), place: longer })
    }
    // Calls go on between two days.
    await nextTurn()
  }
  return rows
}

function negated({ place, key, ...counts }: CountRow): CountRow {
  const negative = Object.entries(counts).map(([name, value]) => [name, value === null ? null : -value])
  return { place, key, ...Object.fromEntries(negative) }
}

/** The rest that is never negative: clocks west of UTC are behind it. */
function modulo(value: number, by: number): number {
  return ((value % by) + by) % by
}

/**
 * Days of buckets that one statement adds up: SQLite holds up everything else meanwhile, and a day has a quarter for each model, channel
 * or user that was busy then.
 */
const DAYS_OF_STATEMENT = { [QUARTER_MS]: 1, [DAY_MS]: 60 }

/** A piece at a time; a place and key that two pieces have in common come twice. */
async function sumSpan(
  db: Tx,
  question: Question,
  span: typeof QUARTER_MS | typeof DAY_MS,
  from: number,
  before: number,
): Promise<CountRow[]> {
  const step = DAYS_OF_STATEMENT[span] * DAY_MS
  const rows: CountRow[] = []
  const first = await edgeBucket(db, question.kind, span, 'asc')
  const last = await edgeBucket(db, question.kind, span, 'desc')
  if (first === undefined || last === undefined) return []
  const until = Math.min(before, last + span)
  for (let at = Math.max(from, first); at < until;) {
    const end = Math.min(at - (at % DAY_MS) + step, until)
    rows.push(...(await sumPiece(db, question, span, at, end)))
    at = end
    // Calls go on between two pieces.
    await nextTurn()
  }
  return rows
}

/** When the first or last bucket of anybody begins; every call is in one of the site. */
async function edgeBucket(db: Tx, kind: Kind, span: number, order: 'asc' | 'desc'): Promise<number | undefined> {
  const row = await db
    .selectFrom('usage_buckets')
    .select('started_at')
    .where('kind', '=', kind === 'own' ? 'site' : kind)
    .where('span', '=', span)
    .where('owner_id', '=', 0)
    .orderBy('started_at', order)
    .limit(1)
    .executeTakeFirst()
  return row?.started_at
}

function sumPiece(
  db: Tx,
  { kind, filters, group, place }: Question,
  span: number,
  from: number,
  before: number,
  names: readonly (keyof UsageCounts)[] = place ? plain : countNames,
): Promise<CountRow[]> {
  const at = placeOf(place, sql.ref('started_at'))
  const key = group ? sql.ref(keyColumn(kind, group)) : undefined
  let rows = db.selectFrom('usage_buckets').where('kind', '=', kind).where('span', '=', span)
  // Rows of a kind lie by owner first.
  if (kind === 'own') rows = rows.where('owner_id', '=', filters.user_id ?? 0)
  else rows = rows.where('owner_id', '=', 0)
  rows = rows.where('started_at', '>=', from).where('started_at', '<', before)
  for (const [name, value] of given(kind, filters)) rows = rows.where(name, '=', value as never)
  const by = [...(place ? [at] : []), ...(key ? [key] : [])]
  const sums = rows
    .select([at.as('place'), (key ?? sql<string>`''`).as('key')] as never)
    .select(names.map((name) => sql<never>`sum(${sql.ref(name)})`.as(name)) as never)
  return (by.length === 0 ? sums : sums.groupBy(by as never)).execute() as unknown as Promise<CountRow[]>
}

/** The same of the log rows behind the mark. */
export function sumTail(db: Tx, { kind, filters, group, from, before, place }: Question, mark: number): Promise<CountRow[]> {
  const names = place ? plain : countNames
  const at = placeOf(place, sql.ref('logs.created_at'))
  const key = group ? unindexed(group) : undefined
  let rows = db
    .selectFrom('logs')
    .where('logs.id', '>', mark)
    .where(sql<boolean>`logs.created_at + 0 >= ${from}`)
  rows = rows.where(sql<boolean>`logs.created_at + 0 < ${before}`)
  const all = kind === 'own' ? { ...filters, user_id: filters.user_id } : filters
  for (const [name, value] of Object.entries(all))
    if (value !== undefined) rows = rows.where(sql<boolean>`${ofLog[name as Group]} = ${value}`)
  const by = [...(place ? [at] : []), ...(key ? [key] : [])]
  const sums = rows
    .select([at.as('place'), (key ?? sql<string>`''`).as('key')] as never)
    .select(names.map((name) => (counts[name] as RawBuilder<never>).as(name)) as never)
  return (by.length === 0 ? sums : sums.groupBy(by as never)).execute() as unknown as Promise<CountRow[]>
}

/** A group in terms that no index is in: SQLite would go through all of the log in the order of users, for the few rows behind the mark. */
function unindexed(group: Group): RawBuilder<unknown> {
  return group === 'model_name' ? sql`${ofLog[group]} || ''` : sql`${ofLog[group]} + 0`
}

/** The kind with the fewest rows that can tell what is asked; undefined: none can. */
export function kindFor(filters: Filters, group: Group | undefined): Kind | undefined {
  const asked = new Set<string>(Object.entries(filters).flatMap(([name, value]) => (value === undefined ? [] : [name])))
  if (group) asked.add(group)
  if (asked.size === 1 && asked.has('user_id')) return filters.user_id === undefined || group ? 'user' : 'own'
  if (filters.user_id !== undefined) {
    asked.delete('user_id')
    return [...asked].every((name) => (kinds.own as readonly string[]).includes(name)) ? 'own' : undefined
  }
  return (['site', 'model', 'channel', 'user'] as const).find((kind) =>
    [...asked].every((name) => (kinds[kind] as readonly string[]).includes(name)),
  )
}

function placeOf(place: Question['place'], column: RawBuilder<unknown>): RawBuilder<number> {
  if (!place) return sql<number>`0`
  return sql<number>`(${column} + ${sql.lit(place.shift)}) / ${sql.lit(place.width)}`
}

function keyColumn(kind: Kind, group: Group): string {
  return kind === 'own' && group === 'user_id' ? 'owner_id' : group
}

function given(kind: Kind, filters: Filters): [Group, string | number][] {
  return Object.entries(filters).flatMap(([name, value]): [Group, string | number][] =>
    value === undefined || (kind === 'own' && name === 'user_id') ? [] : [[name as Group, value]],
  )
}

/** Names of keys and users by number, for the few that a chart shows. */
export async function namesOf(db: Tx, table: 'users' | 'api_keys', ids: readonly number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map()
  if (table === 'users') {
    const rows = await db.selectFrom('users').select(['id', 'username']).where('id', 'in', ids).execute()
    return new Map(rows.map(({ id, username }) => [id, username]))
  }
  const rows = await db.selectFrom('api_keys').select(['id', 'name']).where('id', 'in', ids).execute()
  return new Map(rows.map(({ id, name }) => [id, name]))
}

/** What calls are looked for by. */
export interface CallFilters {
  userId?: number | undefined
  apiKeyId?: number | undefined
  userChannelId?: number | undefined
  channelId?: number | undefined
  /** A part of the model's name, whatever its case. */
  modelText?: string | undefined
}

/**
 * How many calls each day or quarter of an hour has that fit those of the filters which the kind tells apart, newest first; times
 * without any are left out.
 */
export function callsByTime(
  db: Tx,
  kind: Kind,
  span: number,
  { userId, apiKeyId, userChannelId, channelId, modelText }: CallFilters,
  from: number,
  before: number,
): Promise<{ started_at: number; calls: number }[]> {
  const own: readonly string[] = kinds[kind]
  let rows = db
    .selectFrom('usage_buckets')
    .where('kind', '=', kind)
    .where('span', '=', span)
    .where('owner_id', '=', kind === 'own' ? (userId ?? 0) : 0)
    .where('started_at', '>=', from)
    .where('started_at', '<', before)
  if (apiKeyId !== undefined && own.includes('api_key_id')) rows = rows.where('api_key_id', '=', apiKeyId)
  if (userChannelId !== undefined && own.includes('user_channel_id')) rows = rows.where('user_channel_id', '=', userChannelId)
  if (channelId !== undefined && own.includes('channel_id')) rows = rows.where('channel_id', '=', channelId)
  if (modelText !== undefined && own.includes('model_name')) rows = rows.where(contains(['model_name'], modelText))
  return rows
    .select(['started_at', sql<number>`sum(requests + parts)`.as('calls')])
    .groupBy('started_at')
    .orderBy('started_at', 'desc')
    .execute()
}
