import type { Candidate } from '../features/catalog/snapshot.ts'
import { attempt } from './attempt.ts'
import type { AdmittedCall, Attempt, UpstreamAnswer } from './call.ts'
import type { RelayDeps } from './deps.ts'
import type { Pass } from './routing/health.ts'
import { Tries, type Answered, type Try } from './tries.ts'

/**
 * Sends the call to the first channel that answers well. The next channel is tried only before the first content, each at
 * most once; again with another key only after all others, where a key was refused. Where the user channel hedges, a second
 * channel is asked as well when the first is slow to begin a stream: the faster one answers, the other is broken off. Whole
 * answers are not hedged: their upstream bills them to the end.
 * @throws DispatchError when no channel answered
 */
export function dispatch(call: AdmittedCall, order: readonly Candidate[], deps: RelayDeps): Promise<UpstreamAnswer> {
  const userChannel = call.snapshot.userChannels.get(order[0]?.userChannelId ?? 0)
  return tryEach(call, order, deps, attempt, call.peek.stream ? (userChannel?.hedgeDelayMs ?? undefined) : undefined)
}

/**
 * The first channel's answer that is good, with all attempts.
 * @param hedgeDelayMs after so long a second channel is asked beside the first
 * @throws DispatchError when no channel answered
 */
export async function tryEach<T extends Answered>(
  call: AdmittedCall,
  order: readonly Candidate[],
  deps: RelayDeps,
  attemptOn: Try<T>,
  hedgeDelayMs?: number,
): Promise<T & { attempts: Attempt[] }> {
  const tries = new Tries(call, deps, attemptOn)
  const left = [...order]
  const again: Candidate[] = []
  const closed: Candidate[] = []
  /** The way into the next channel that lets the call in. */
  const next = (): Pass | undefined => {
    for (let candidate = left.shift(); candidate; candidate = left.shift()) {
      const pass = tries.enter(candidate, false)
      if (pass) return pass
      closed.push(candidate)
    }
    return undefined
  }
  for (let pass = next(); pass; pass = next()) {
    const hedge = hedgeDelayMs !== undefined && tries.count === 0 && left.length > 0
    const answer = hedge ? await tries.race(pass, next, hedgeDelayMs) : await tries.on(pass, left.length > 0)
    if (answer) return answer
    if (tries.over) throw tries.refusal()
    const tried = pass.candidate.channelModelId
    if (tries.blame === 'key_refused') again.push(...order.filter((one) => one.channelModelId === tried && one.channel.keys.length > 1))
  }
  // Another key of a channel is another customer of its upstream.
  for (const candidate of again) {
    const pass = tries.enter(candidate, false)
    const answer = pass && (await tries.on(pass, false))
    if (answer) return answer
    if (tries.over) throw tries.refusal()
  }
  // Nothing else is left: one that is given up on may have healed.
  for (const candidate of closed) {
    const pass = tries.enter(candidate, true)
    if (!pass) continue
    const answer = await tries.on(pass, false)
    if (answer) return answer
    break
  }
  throw tries.refusal()
}
