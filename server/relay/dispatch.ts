import { AppError } from '../../contract/errors.ts'
import type { Candidate } from '../features/catalog/snapshot.ts'
import { describeError } from '../lib/log.ts'
import { attempt, AttemptFailed, networkFailure, type TryLimits } from './attempt.ts'
import type { AdmittedCall, Attempt, UpstreamAnswer } from './call.ts'
import type { RelayDeps } from './deps.ts'
import { withoutKey } from './faults.ts'
import { MAX_ATTEMPTS, TOTAL_FIRST_BYTE_LIMITS } from './limits.ts'
import type { Pass } from './routing/health.ts'

/** The call could not be served: what the client is told, what was tried, and whether another channel may be. */
export class DispatchError extends Error {
  override readonly name = 'DispatchError'
  readonly failure: AppError
  readonly attempts: Attempt[]
  readonly candidate: Candidate | undefined

  constructor(failure: AppError, attempts: Attempt[], candidate: Candidate | undefined) {
    super(failure.message, { cause: failure.cause })
    this.failure = failure
    this.attempts = attempts
    this.candidate = candidate
  }
}

/**
 * Sends the call to the first channel that answers well. The next channel is tried only before the first content, each at
 * most once; again with another key only after all others, where a key was refused.
 * @throws DispatchError when no channel answered
 */
export function dispatch(call: AdmittedCall, order: readonly Candidate[], deps: RelayDeps): Promise<UpstreamAnswer> {
  return tryEach(call, order, deps, attempt)
}

/** One try on one channel, with the key that stands in the candidate. @throws AttemptFailed, or whatever the network throws */
export type Try<T> = (call: AdmittedCall, candidate: Candidate, deps: RelayDeps, limits: TryLimits) => Promise<T>

/**
 * The first channel's answer that is good, with all attempts.
 * @throws DispatchError when no channel answered
 */
export async function tryEach<T extends { response: Response }>(
  call: AdmittedCall,
  order: readonly Candidate[],
  deps: RelayDeps,
  attemptOn: Try<T>,
): Promise<T & { attempts: Attempt[] }> {
  const tries = new Tries(call, deps, attemptOn)
  const again: Candidate[] = []
  const closed: Candidate[] = []
  for (const [index, candidate] of order.entries()) {
    const pass = tries.enter(candidate, false)
    if (!pass) {
      closed.push(candidate)
      continue
    }
    const answer = await tries.on(pass, index < order.length - 1)
    if (answer) return answer
    if (tries.over) throw tries.refusal()
    if (tries.blame === 'key_refused' && candidate.channel.keys.length > 1) again.push(candidate)
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

/** The tries of one call. */
class Tries<T extends { response: Response }> {
  /** No other channel may be asked. */
  over = false
  blame: AttemptFailed['blame'] = 'nobody'
  readonly #attempts: Attempt[] = []
  readonly #call: AdmittedCall
  readonly #deps: RelayDeps
  readonly #attemptOn: Try<T>
  readonly #startedMs: number
  readonly #limitMs: number
  #failure: AppError | undefined
  #last: Candidate | undefined

  constructor(call: AdmittedCall, deps: RelayDeps, attemptOn: Try<T>) {
    this.#call = call
    this.#deps = deps
    this.#attemptOn = attemptOn
    this.#startedMs = deps.clock.monotonic()
    this.#limitMs = deps.settings.integer('reliability_first_byte_timeout_seconds') * 1000
  }

  enter(candidate: Candidate, lastResort: boolean): Pass | undefined {
    if (this.#attempts.length >= MAX_ATTEMPTS) return undefined
    const { place } = this.#call
    const key = place?.channelModelId === candidate.channelModelId ? place.keyIndex : undefined
    return this.#deps.routing.health.enter(candidate, key, lastResort)
  }

  /**
   * @param hold another channel is left
   * @returns undefined when it failed; @throws DispatchError when the client left
   */
  async on(pass: Pass, hold: boolean): Promise<(T & { attempts: Attempt[] }) | undefined> {
    const { candidate } = pass
    const { routing, clock } = this.#deps
    this.#last = candidate
    const left = this.#startedMs + this.#limitMs * TOTAL_FIRST_BYTE_LIMITS - pass.startedMs
    const own = candidate.firstByteTimeoutMs ?? this.#limitMs
    const firstByteMs = this.#attempts.length === 0 ? own : Math.min(own, left)
    try {
      if (firstByteMs <= 0) throw new AttemptFailed(new AppError('upstream_timeout', { cause: 'no time is left' }), false, null, 'nobody')
      const answer = await this.#attemptOn(this.#call, candidate, this.#deps, { firstByteMs, signal: undefined, hold })
      this.#note(pass, 'ok', answer.response.status, '')
      routing.answered(this.#call, pass)
      return { ...answer, attempts: this.#attempts }
    } catch (error) {
      if (this.#call.peek.stream && this.#call.clientSignal.aborted) {
        this.#note(pass, 'aborted', null, 'the client left')
        routing.health.end(pass)
        throw new DispatchError(new AppError('upstream_failed', { cause: error }), this.#attempts, candidate)
      }
      const failed = error instanceof AttemptFailed ? error : networkFailure(error)
      const { failure } = failed
      const reason = withoutKey(failure.cause === undefined ? failure.message : describeError(failure.cause), candidate)
      this.#note(pass, 'failed', failed.status, reason)
      const wait = failure.retryAfterSeconds
      routing.health.failed(pass, { blame: failed.blame, reason, retryAfterMs: wait === undefined ? undefined : wait * 1000 })
      routing.health.end(pass)
      this.#failure = failure
      this.blame = failed.blame
      this.over = !failed.retry || clock.monotonic() - this.#startedMs >= this.#limitMs * TOTAL_FIRST_BYTE_LIMITS
      return undefined
    }
  }

  refusal(): DispatchError {
    return new DispatchError(this.#failure ?? this.#unavailable(), this.#attempts, this.#last)
  }

  /** Everything is given up on, and its trials are under way. */
  #unavailable(): AppError {
    const { route } = this.#call
    const soonest = Math.min(...(route?.skipped ?? []).map(({ block }) => block.untilMs))
    const waitMs = Number.isFinite(soonest) ? soonest - this.#deps.clock.monotonic() : 0
    return new AppError('upstream_unavailable', {
      retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
      cause: 'every channel that could serve it failed just now',
    })
  }

  #note({ candidate, startedMs }: Pass, outcome: Attempt['outcome'], status: number | null, error: string): void {
    this.#attempts.push({
      channelId: candidate.channel.id,
      channel: candidate.channel.name,
      upstreamModel: candidate.upstreamModel,
      status,
      outcome,
      error,
      startedMs: Math.round(startedMs - this.#call.startedMs),
      durationMs: Math.round(this.#deps.clock.monotonic() - startedMs),
    })
  }
}
