import { z } from 'zod'

/** A path id: a positive whole number; anything else is 400 with the text the contract gives, e.g. `Invalid channel id`. */
export function idParam(message = 'Invalid id') {
  return z
    .string({ error: message })
    .regex(/^[1-9]\d{0,14}$/, { error: message })
    .transform(Number)
}

/** `{ id }` of a path such as `/api/groups/:id`. */
export function idParams(message?: string) {
  return z.object({ id: idParam(message) })
}

/** Largest page of a list (contract.md 3.5 LATER). */
export const MAX_PAGE_SIZE = 100
const DEFAULT_PAGE_SIZE = 20

const positive = () =>
  z
    .string()
    .regex(/^[1-9]\d{0,8}$/, { error: 'must be a positive whole number' })
    .transform(Number)

/** Query of a list: with either of them the answer is a page, without both it is the contract's bare array. */
export const pageQuery = z.object({
  page: positive().optional(),
  page_size: positive()
    .transform((size) => Math.min(size, MAX_PAGE_SIZE))
    .optional(),
})

/** Query of a list that can be searched too: `q` is a part of a name, whatever its case. */
export const searchQuery = pageQuery.extend({ q: z.string().trim().max(100).optional() })

const instant = z.string().max(40).optional()
/** Query of a list by time: RFC 3339, a time without zone (UTC) or a date; any of them makes the answer a page (contract.md 3.5). */
export const timeQuery = pageQuery.extend({ start_time: instant, start_date: instant, end_time: instant, end_date: instant })
export type TimeQuery = z.output<typeof timeQuery>

/** The page of a list by time: the first where only times are given; undefined: the bare array. */
export function pageOfTimes(query: TimeQuery): { page: number; pageSize: number } | undefined {
  const timed = [query.start_time, query.start_date, query.end_time, query.end_date].some((text) => text !== undefined)
  return pageOf(query) ?? (timed ? firstPage : undefined)
}

/** Limits of a page, or undefined when the caller wants the bare array. */
export function pageOf(query: {
  page?: number | undefined
  page_size?: number | undefined
}): { page: number; pageSize: number } | undefined {
  if (query.page === undefined && query.page_size === undefined) return undefined
  return { page: query.page ?? 1, pageSize: query.page_size ?? DEFAULT_PAGE_SIZE }
}

/** The first page, for lists whose other filters ask for a page too. */
export const firstPage = { page: 1, pageSize: DEFAULT_PAGE_SIZE } as const

/** `{items,total,page,page_size}`. */
export function pageSchema<T extends z.ZodType>(item: T) {
  return z.strictObject({ items: z.array(item), total: z.int(), page: z.int(), page_size: z.int() })
}

/** A list answers bare, or as a page when it was asked for one. */
export function listSchema<T extends z.ZodType>(item: T) {
  return z.union([z.array(item), pageSchema(item)])
}

/** Seconds a first byte is waited for: of a channel, or of a model on it. */
export const firstByteTimeout = z.int().min(1).max(3_600)

/** RFC 3339 in UTC. */
export const time = z.string()

export const messageAnswer = z.strictObject({ message: z.string() })

/** Limits on the wire: requests a minute, tokens a minute, calls at once; null: none. */
export const limitFields = {
  rate_limit_rpm: z.int().nullable(),
  rate_limit_tpm: z.int().nullable(),
  rate_limit_concurrency: z.int().nullable(),
}

/** Limits in a body: absent keeps what there is, null takes the limit away. Nothing that is sold reaches these maxima. */
export const limitInput = {
  rate_limit_rpm: z.int().min(1).max(1_000_000).nullish(),
  rate_limit_tpm: z.int().min(1).max(1_000_000_000).nullish(),
  rate_limit_concurrency: z.int().min(1).max(100_000).nullish(),
}

/** A group on the wire (contract.md 2.2). */
export const groupWire = z.strictObject({
  id: z.int(),
  name: z.string(),
  multiplier: z.string(),
  /** Of each member who has none of his own. */
  ...limitFields,
  created_at: time,
  updated_at: time,
})

/** A signed-in browser. */
export const sessionWire = z.strictObject({
  id: z.string(),
  ip: z.string(),
  user_agent: z.string(),
  created_at: time,
  last_seen_at: time,
  expires_at: time,
  current: z.boolean(),
})

export type SessionWire = z.input<typeof sessionWire>
