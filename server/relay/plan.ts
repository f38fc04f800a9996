import type { RoutingAlgorithm } from '../../contract/api/user-channel-fields.ts'
import type { Candidate } from '../features/catalog/snapshot.ts'
import type { AdmittedCall } from './call.ts'
import type { RelayDeps } from './deps.ts'
import { MAX_ATTEMPTS } from './limits.ts'
import { conversationOf, type Place } from './routing/affinity.ts'
import { pick } from './routing/algorithms.ts'
import type { RouteList, View } from './routing/route-list.ts'
import type { Skipped } from './routing/trace.ts'

/** Blocked channels that stand at the end of an order: one of them is asked when nothing else is left (dispatch.ts). */
const LAST_RESORTS = 3
/** Channels without room that are looked past: the cost does not grow with their number. */
const MAX_FULL = 64
/** Blocked channels the trace names. */
const MAX_SKIPPED = 8

/**
 * The channels to try, best first, each once (contract.md 6.4): of the first of the key's user channels by its algorithm, then
 * of the next. A conversation goes on where it was served last, unless that channel is unhealthy or of a lower priority. The
 * cost does not grow with the number of channels.
 */
export function plan(
  call: AdmittedCall,
  { routing, channelLimits, clock }: Pick<RelayDeps, 'routing' | 'channelLimits' | 'clock'>,
): Candidate[] {
  const head = call.lists[0]?.[0]
  if (!head) return []
  const { health, affinity } = routing
  let full = 0
  const nowMs = clock.monotonic()
  const order: Candidate[] = []
  const skipped: Skipped[] = []
  const last: Candidate[] = []
  let candidates = 0
  let blocked = 0
  call.conversation = (call.lists[0]?.length ?? 0) > 1 || call.lists.length > 1 ? conversationOf(call) : undefined
  const place = call.conversation === undefined ? undefined : affinity.find(call.conversation, nowMs)
  call.place = undefined
  for (const all of call.lists) {
    const list = routing.listOf(all, call.model)
    const view = list.view(health, nowMs)
    candidates += all.length
    blocked += view.blocked.length
    if (order.length >= MAX_ATTEMPTS) continue
    const algorithm = routing.algorithmOf(call, all[0]?.userChannelId)
    for (const one of view.blocked.slice(0, MAX_SKIPPED - skipped.length)) skipped.push(one)
    lastResorts(list, view, algorithm, last)
    /** True when the candidate's own limits leave room; else it is asked last, when nothing else is left. */
    const hasRoom = (candidate: Candidate): boolean => {
      const waitSeconds = channelLimits.fullFor(candidate, call)
      if (waitSeconds === undefined) return true
      full += 1
      if (last.length < LAST_RESORTS) last.push(candidate)
      if (skipped.length < MAX_SKIPPED)
        skipped.push({ candidate, block: { reason: 'limit', untilMs: nowMs + waitSeconds * 1000, why: 'its own limit is reached' } })
      return false
    }
    const found = order.length === 0 && place ? placedIn(list, view, algorithm, place) : undefined
    const placed = found && hasRoom(found) ? found : undefined
    if (placed) {
      call.place = place
      order.push(placed)
    }
    // Whoever comes back to his channel takes nobody's turn.
    const { pool, start } = placed ? { pool: view.usable, start: 0 } : pick(algorithm, { list, view, health, nowMs })
    for (let step = 0; step < pool.length && order.length < MAX_ATTEMPTS; step++) {
      if (full >= MAX_FULL) break
      const candidate = pool[(start + step) % pool.length]
      if (candidate && candidate !== found && takesPart(candidate, algorithm) && hasRoom(candidate)) order.push(candidate)
    }
  }
  for (const candidate of last) if (!order.includes(candidate)) order.push(candidate)
  call.route = {
    algorithm: routing.algorithmOf(call, head.userChannelId),
    userChannelId: head.userChannelId,
    by: call.place ? 'conversation' : 'algorithm',
    candidates,
    blocked: blocked + full,
    order,
    skipped,
    plannedMs: nowMs,
  }
  return order
}

/** Weight 0 takes no part where channels share the traffic. */
function takesPart({ channel }: Candidate, algorithm: RoutingAlgorithm): boolean {
  return channel.weight > 0 || algorithm === 'priority' || algorithm === 'round_robin'
}

/** Where a conversation was served last, if that may be used now. */
function placedIn(list: RouteList, view: View, algorithm: RoutingAlgorithm, place: Place): Candidate | undefined {
  const candidate = list.usable(view, place.channelModelId)
  if (!candidate || !takesPart(candidate, algorithm)) return undefined
  const lower = algorithm === 'priority' && candidate.channel.priority !== view.usable[0]?.channel.priority
  return lower ? undefined : candidate
}

/** Some of the blocked; when all are, others each time, so that one that healed is found. */
function lastResorts(list: RouteList, view: View, algorithm: RoutingAlgorithm, last: Candidate[]): void {
  const { blocked } = view
  const start = view.usable.length === 0 ? list.turn.value++ : 0
  for (let step = 0; step < blocked.length && last.length < LAST_RESORTS; step++) {
    const one = blocked[(start + step) % blocked.length]?.candidate
    if (one && takesPart(one, algorithm)) last.push(one)
  }
}
