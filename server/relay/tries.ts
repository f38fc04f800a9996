import { AppError } from '../../contract/errors.ts'
import type { Candidate } from '../features/catalog/snapshot.ts'
import { describeError } from '../lib/log.ts'
import { AttemptFailed, networkFailure, type TryLimits } from './attempt.ts'
import type { AdmittedCall, Attempt } from './call.ts'
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

/** What every good answer has; one that is not wanted any more is broken off by its `abort`. */
export interface Answered {
  readonly response: Response
  readonly abort: AbortController
}

/** One try on one channel, with the key that stands in the candidate. @throws AttemptFailed, or whatever the network throws */
export type Try<T> = (call: AdmittedCall, candidate: Candidate, deps: RelayDeps, limits: TryLimits) => Promise<T>

/** How one try went. */
type Result<T> = { pass: Pass; answer: T } | { pass: Pass; error: unknown }

/** The tries of one call. */
export class Tries<T extends Answered> {
  /** No other channel may be asked. */
  over = false
  /** Whom the last one that failed counts against. */
  blame: AttemptFailed['blame'] = 'nobody'
  /** Tries begun. */
  count = 0
  readonly #attempts: Attempt[] = []
  readonly #call: AdmittedCall
  readonly #deps: RelayDeps
  readonly #attemptOn: Try<T>
  readonly #startedMs: number
  /** The site's own limit of a first byte. */
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

  /** The way into a channel; undefined when it is closed, or enough was tried. */
  enter(candidate: Candidate, lastResort: boolean): Pass | undefined {
    if (this.count >= MAX_ATTEMPTS) return undefined
    const { place } = this.#call
    const key = place?.channelModelId === candidate.channelModelId ? place.keyIndex : undefined
    return this.#deps.routing.health.enter(candidate, key, lastResort)
  }

  /**
   * @param hold another channel is left
   * @returns undefined when it failed; @throws DispatchError when the client left
   */
  async on(pass: Pass, hold: boolean): Promise<(T & { attempts: Attempt[] }) | undefined> {
    return this.#judge(await this.#begin(pass, hold, undefined))
  }

  /**
   * Asks a second channel as well when the first has not begun to answer in time.
   * @returns the answer of the faster one; undefined when both failed; @throws DispatchError when the client left
   */
  async race(first: Pass, next: () => Pass | undefined, delayMs: number): Promise<(T & { attempts: Attempt[] }) | undefined> {
    const stop = [new AbortController(), new AbortController()] as const
    const one = this.#begin(first, true, stop[0].signal)
    const early = await within(one, delayMs)
    if (early) return this.#judge(early)
    const second = next()
    if (!second) return this.#judge(await one)
    const two = this.#begin(second, true, stop[1].signal)
    const sooner = await Promise.race([one, two])
    const [other, otherPass, otherStop] = sooner.pass === first ? [two, second, stop[1]] : [one, first, stop[0]]
    const drop = (why: string): void => {
      otherStop.abort()
      void breakOff(other)
      this.#note(otherPass, 'aborted', null, why)
      this.#deps.routing.health.end(otherPass)
    }
    if ('answer' in sooner) {
      drop('another channel answered first')
      return this.#judge(sooner)
    }
    if (this.#clientLeft) drop('the client left')
    const failed = this.#judge(sooner)
    if (!this.over) return this.#judge(await other)
    drop('another channel refused the request itself')
    return failed
  }

  /** A stream is given up with its client. */
  get #clientLeft(): boolean {
    return this.#call.peek.stream && this.#call.clientSignal.aborted
  }

  refusal(): DispatchError {
    return new DispatchError(this.#failure ?? this.#unavailable(), this.#attempts, this.#last)
  }

  async #begin(pass: Pass, hold: boolean, signal: AbortSignal | undefined): Promise<Result<T>> {
    const { candidate } = pass
    this.#last = candidate
    this.count += 1
    const own = candidate.firstByteTimeoutMs ?? this.#limitMs
    const firstByteMs = this.count === 1 ? own : Math.min(own, this.#leftMs(pass.startedMs))
    try {
      pass.place = await this.#deps.channelLimits.enter(candidate, this.#call, !hold)
      // Given up while it waited for its place.
      if (pass.over)
        throw new AttemptFailed(new AppError('upstream_failed', { cause: 'another channel answered first' }), false, null, 'nobody')
      return { pass, answer: await this.#attemptOn(this.#call, candidate, this.#deps, { firstByteMs, signal, hold }) }
    } catch (error) {
      // Nothing of it was used, as far as anybody knows.
      pass.place?.end(0)
      return { pass, error }
    }
  }

  /** Books what came of a try. */
  #judge(result: Result<T>): (T & { attempts: Attempt[] }) | undefined {
    const { pass } = result
    const { routing, clock } = this.#deps
    if ('answer' in result) {
      this.#note(pass, 'ok', result.answer.response.status, '')
      routing.answered(this.#call, pass)
      return { ...result.answer, attempts: this.#attempts }
    }
    const { error } = result
    if (this.#clientLeft) {
      this.#note(pass, 'aborted', null, 'the client left')
      routing.health.end(pass)
      throw new DispatchError(new AppError('upstream_failed', { cause: error }), this.#attempts, pass.candidate)
    }
    const failed = error instanceof AttemptFailed ? error : networkFailure(error)
    const { failure } = failed
    const reason = withoutKey(failure.cause === undefined ? failure.message : describeError(failure.cause), pass.candidate)
    this.#note(pass, 'failed', failed.status, reason)
    const wait = failure.retryAfterSeconds
    routing.health.failed(pass, { blame: failed.blame, reason, retryAfterMs: wait === undefined ? undefined : wait * 1000 })
    routing.health.end(pass)
    this.#failure = failure
    this.blame = failed.blame
    this.over = !failed.retry || this.#leftMs(clock.monotonic()) <= 0
    return undefined
  }

  /** What is left of the time for a first byte, over all tries. */
  #leftMs(nowMs: number): number {
    return this.#startedMs + this.#limitMs * TOTAL_FIRST_BYTE_LIMITS - nowMs
  }

  /** Everything is given up on, and its trials are under way. */
  #unavailable(): AppError {
    const soonest = Math.min(...(this.#call.route?.skipped ?? []).map(({ block }) => block.untilMs))
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

/** It may have answered in the same moment: nobody wants that any more, and nobody pays for it. */
async function breakOff<T extends Answered>(other: Promise<Result<T>>): Promise<void> {
  const late = await other
  if ('answer' in late) late.answer.abort.abort()
}

/** The result if it comes in time. */
async function within<R>(result: Promise<R>, ms: number): Promise<R | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms)
  })
  try {
    return await Promise.race([result, late])
  } finally {
    clearTimeout(timer)
  }
}
