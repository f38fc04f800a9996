import type { Database } from '../../db/open.ts'
import { type Kind } from './fold/store.ts'
import { callsByTime, type CallFilters } from './store.ts'
import { DAY_MS, QUARTER_MS } from '../../lib/clock.ts'

/** Where calls are, as the usage buckets know it: each day or quarter of an hour that has any, newest first, with their number. */
export interface Where {
  /** The numbers are those of the calls that were asked for; else there are at most so many of them. */
  readonly exact: boolean
  /** Of times at whole days (UTC), epoch ms; the end is exclusive. */
  days(from: number, before: number): Promise<[start: number, calls: number][]>
  /** The same of quarters of an hour. */
  quarters(from: number, before: number): Promise<[start: number, calls: number][]>
}

/** Where the calls are that fit the filters. What no kind of bucket tells alone is in the times that all of its parts have in common. */
export function whereCalls(db: Database['query'], filters: CallFilters): Where {
  const kinds = kindsOf(filters)
  const find = async (span: number, from: number, before: number): Promise<[number, number][]> => {
    let common: Map<number, number> | undefined
    for (const kind of kinds) {
      const found = await callsByTime(db, kind, span, filters, from, before)
      const others: Map<number, number> | undefined = common
      const shared = found.filter(({ started_at: start }) => others?.has(start) ?? true)
      common = new Map(shared.map(({ started_at: start, calls }) => [start, Math.min(calls, others?.get(start) ?? calls)]))
    }
    return [...(common ?? [])]
  }
  const keyOfNobody = filters.apiKeyId !== undefined && filters.userId === undefined
  return {
    exact: kinds.length === 1 && !keyOfNobody,
    days: (from, before) => find(DAY_MS, from, before),
    quarters: (from, before) => find(QUARTER_MS, from, before),
  }
}

/** The kinds that tell the filters apart, each as many of them as it can. */
function kindsOf({ userId, userChannelId, channelId, modelText }: CallFilters): Kind[] {
  const byChannel: Kind[] = userChannelId !== undefined || channelId !== undefined ? ['channel'] : []
  if (userId !== undefined) return ['own', ...byChannel]
  const kinds: Kind[] = [...byChannel, ...(modelText === undefined ? [] : ['model' as const])]
  return kinds.length === 0 ? ['site'] : kinds
}
