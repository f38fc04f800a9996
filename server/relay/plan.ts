import type { Candidate } from '../features/catalog/snapshot.ts'
import type { AdmittedCall } from './call.ts'
import { MAX_ATTEMPTS } from './limits.ts'

/** Counters of the rotating algorithms, per user channel and model; they start anew with the process (contract.md 6.4). */
export class Rotation {
  readonly #counters = new Map<string, number>()

  /** The counter's value, then one more. */
  next(key: string): number {
    const value = this.#counters.get(key) ?? 0
    this.#counters.set(key, value + 1)
    return value
  }
}

/**
 * The channels to try, best first, each once (contract.md 6.4). The first is what the algorithm picks; the others follow
 * in the order of priority, as failover. Cost is bounded by MAX_ATTEMPTS, not by the number of channels, except for
 * weights, which are summed per model when the snapshot is built.
 */
export function plan(call: AdmittedCall, rotation: Rotation): Candidate[] {
  const { candidates } = call
  const first = candidates[0]
  if (!first) return []
  const start = pick(call, first, rotation)
  if (start === undefined) return []
  const order: Candidate[] = [start]
  for (const candidate of candidates) {
    if (order.length >= MAX_ATTEMPTS) break
    if (candidate !== start) order.push(candidate)
  }
  return order
}

function pick(call: AdmittedCall, first: Candidate, rotation: Rotation): Candidate | undefined {
  const channel = call.snapshot.userChannels.get(first.userChannelId)
  const key = `${first.userChannelId}\n${call.model.name}`
  const inChannel = call.ingress.service
    ? call.candidates.filter(({ userChannelId }) => userChannelId === first.userChannelId)
    : (call.model.byUserChannel.get(first.userChannelId) ?? call.candidates)
  switch (channel?.routingAlgorithm) {
    case 'round_robin':
      return inChannel[rotation.next(key) % inChannel.length]
    case 'weighted_round_robin':
      return weighted(inChannel, rotation.next(key))
    default:
      return first
  }
}

/** Walks the ordered candidates: weights 1,2 give A,B,B,A,... Weight 0 gets no traffic (additions.md). */
function weighted(candidates: readonly Candidate[], counter: number): Candidate | undefined {
  let sum = 0
  for (const candidate of candidates) sum += candidate.channel.weight
  if (sum === 0) return undefined
  let rest = counter % sum
  for (const candidate of candidates) {
    rest -= candidate.channel.weight
    if (rest < 0) return candidate
  }
  return undefined
}
