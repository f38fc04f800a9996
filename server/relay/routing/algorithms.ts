import type { RoutingAlgorithm } from '../../../contract/api/user-channel-fields.ts'
import type { Candidate } from '../../features/catalog/snapshot.ts'
import type { Health } from './health.ts'
import type { RouteList, View } from './route-list.ts'

/** Candidates that are looked at before the best of them is taken: all of any usual site; of more, another window at each call. */
const WINDOW = 64

/** Where a pool of candidates is begun; the others follow, from there on and round again. */
export interface Pick {
  readonly pool: readonly Candidate[]
  readonly start: number
}

/** What an algorithm may look at. */
interface Look {
  list: RouteList
  view: View
  health: Health
  nowMs: number
}

/**
 * Who is asked first (contract.md 6.4), of those that may be used now. Weight 0 takes no part where channels share the
 * traffic; `priority` and `round_robin` know no weights.
 */
const algorithms: Record<RoutingAlgorithm, (look: Look) => Pick> = {
  priority: ({ view }) => ({ pool: view.usable, start: 0 }),
  round_robin: ({ view, list }) => ({ pool: view.usable, start: next(list) % Math.max(1, view.usable.length) }),
  weighted_round_robin: ({ view, list }) => ({ pool: view.shared, start: placeOf(view.sums, next(list)) }),
  least_latency: ({ view, list, health, nowMs }) =>
    best(view.shared, next(list), (candidate) => health.speeds.get(candidate.channelModelId)?.expectedMs(nowMs) ?? 0),
  lowest_cost: ({ view, list }) => ({ pool: list.byCost(view), start: 0 }),
  least_busy: ({ view, list, health }) => best(view.shared, next(list), ({ channel }) => health.find(channel.id)?.inFlight ?? 0),
}

export function pick(algorithm: RoutingAlgorithm, look: Look): Pick {
  return algorithms[algorithm](look)
}

function next({ turn }: RouteList): number {
  return turn.value++
}

/** The first whose sum of weights is above the counter: weights 1,2 give A,B,B,A,... By halving, however many there are. */
function placeOf(sums: Float64Array, counter: number): number {
  const total = sums.at(-1)
  if (total === undefined) return 0
  const at = counter % total
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sums[middle] ?? 0) > at) high = middle
    else low = middle + 1
  }
  return low
}

/** The lowest score of a window that begins elsewhere at each call, so that equals take turns. */
function best(pool: readonly Candidate[], counter: number, score: (candidate: Candidate) => number): Pick {
  const { length } = pool
  if (length === 0) return { pool, start: 0 }
  const first = length <= WINDOW ? counter % length : (counter * WINDOW) % length
  let start = first
  let lowest = Infinity
  for (let step = 0; step < Math.min(length, WINDOW); step++) {
    const index = (first + step) % length
    const candidate = pool[index]
    const value = candidate ? score(candidate) : Infinity
    if (value < lowest) {
      lowest = value
      start = index
    }
  }
  return { pool, start }
}
