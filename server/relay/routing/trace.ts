import type { RoutingAlgorithm } from '../../../contract/api/user-channel-fields.ts'
import { formatMoney } from '../../../contract/money.ts'
import type { Candidate, CatalogModel } from '../../features/catalog/snapshot.ts'
import type { Block, Health } from './health.ts'
import { costOf } from './route-list.ts'

/** A candidate that got no traffic. */
export interface Skipped {
  readonly candidate: Candidate
  readonly block: Block
}

/** How the channels of a call were chosen: kept with its row, so that an owner can see why it went where it went. */
export interface Route {
  readonly algorithm: RoutingAlgorithm
  readonly userChannelId: number
  /** What put the first channel first. */
  by: 'algorithm' | 'conversation' | 'stored_response'
  /** Channels that could have served it. */
  readonly candidates: number
  readonly order: readonly Candidate[]
  /** How many of them nobody may ask now, and the first of those. */
  readonly blocked: number
  readonly skipped: readonly Skipped[]
  readonly plannedMs: number
}

/** Why one was skipped, in so many characters. */
const MAX_WHY = 120

/**
 * A route as it is stored: `a` algorithm, `u` user channel, `by`, `n` candidates, `c` the order of channels with what they were
 * compared by, `x` how many were skipped, `s` the first of those: channel, reason, for how many ms more, and why. "" for a call
 * that had one channel and no choice.
 */
export function encodeRoute(route: Route | undefined, model: CatalogModel, health: Health): string {
  if (!route || (route.candidates === 1 && route.skipped.length === 0)) return ''
  return JSON.stringify({
    a: route.algorithm,
    u: route.userChannelId,
    ...(route.by === 'algorithm' ? {} : { by: route.by }),
    n: route.candidates,
    c: route.order.map((candidate) => {
      const score = scoreOf(route, candidate, model, health)
      return score === undefined ? [candidate.channel.id] : [candidate.channel.id, score]
    }),
    ...(route.skipped.length === 0
      ? {}
      : {
          x: route.blocked,
          s: route.skipped.map(({ candidate, block }) => [
            candidate.channel.id,
            block.reason,
            Math.max(0, Math.round(block.untilMs - route.plannedMs)),
            block.why.slice(0, MAX_WHY),
          ]),
        }),
  })
}

/** What the algorithm compares a channel by, in its own unit. */
function scoreOf({ algorithm }: Route, candidate: Candidate, model: CatalogModel, health: Health): string | undefined {
  const { channel } = candidate
  switch (algorithm) {
    case 'priority':
      return String(channel.priority)
    case 'weighted_round_robin':
      return String(channel.weight)
    case 'least_latency': {
      const ms = health.speeds.get(candidate.channelModelId)?.firstTokenMs
      return ms === undefined ? undefined : `${Math.round(ms)} ms`
    }
    case 'least_busy':
      return `${health.find(channel.id)?.inFlight ?? 0} in flight`
    case 'lowest_cost':
      return formatMoney(costOf(candidate, model.card))
    case 'round_robin':
      return undefined
  }
}
