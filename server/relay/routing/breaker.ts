/** When a breaker opens and for how long. */
export interface BreakerRules {
  /** Failures in a row that open it. */
  failures: number
  cooldownMs: number
}

export type BreakerState = 'closed' | 'open' | 'half_open'

/** The share of failures that opens a breaker although some calls succeed between them. */
const BAD_SHARE = 0.5
/** Weight of the newest outcome: the share is that of some twenty. */
const NEWEST = 0.05
/** Outcomes, as a multiple of the failures in a row, before a share is believed. */
const BELIEVED_AFTER = 4
/** A cooldown is up to this much longer, so that channels that fell together are not tried together. */
const JITTER = 0.1
/** Longest wait an upstream may ask for: it is one trial, and one that names a day may be wrong. */
const MAX_RETRY_AFTER_MS = 300_000

/**
 * Closed: everything passes. Open: nothing, until the cooldown is over. Half open: one call at a time is the trial; it closes
 * the breaker or opens it again. Times are monotonic milliseconds, given by the caller.
 */
export class Breaker {
  /** Failures since the last success. */
  failures = 0
  /** Why it opened. */
  reason = ''
  openedAtMs = 0
  /** How often it opened since its last reset. */
  openings = 0
  #openUntilMs = 0
  #open = false
  /** Until then nobody asks, not even as a last resort: the upstream itself named a time. */
  #quietUntilMs = 0
  #trials = 0
  #share = 0
  #outcomes = 0
  readonly #seed: number

  /** @param seed tells breakers apart in their jitter */
  constructor(seed: number) {
    this.#seed = seed
  }

  state(nowMs: number): BreakerState {
    if (!this.#open) return 'closed'
    return nowMs < this.#openUntilMs ? 'open' : 'half_open'
  }

  /** When it may be tried again; 0 when it is not open. */
  get openUntilMs(): number {
    return this.#open ? this.#openUntilMs : 0
  }

  /** Whether one more call may pass. `trials`: how many may be on trial at once; a last resort does not wait for the cooldown. */
  allows(nowMs: number, lastResort: boolean, trials: number): boolean {
    if (!this.#open) return true
    if (nowMs < (lastResort ? this.#quietUntilMs : this.#openUntilMs)) return false
    return this.#trials < trials
  }

  /** A call that was allowed begins. @returns whether it is a trial, to be ended with `end` */
  begin(): boolean {
    if (!this.#open) return false
    this.#trials += 1
    return true
  }

  /** A trial is over, however it went. */
  end(): void {
    if (this.#trials > 0) this.#trials -= 1
  }

  /** @returns whether that closed it */
  succeeded(): boolean {
    this.failures = 0
    if (this.#open) {
      this.#open = false
      this.#quietUntilMs = this.#trials = this.#outcomes = this.#share = 0
      return true
    }
    if (this.#outcomes > 0) {
      this.#outcomes += 1
      this.#share -= this.#share * NEWEST
    }
    return false
  }

  /**
   * @param retryAfterMs what the upstream asked for: opens at once, for that long
   * @returns whether that opened it, or kept it open for longer
   */
  failed(nowMs: number, rules: BreakerRules, reason: string, retryAfterMs: number | undefined): boolean {
    this.failures += 1
    this.#outcomes += 1
    this.#share += (1 - this.#share) * NEWEST
    const bad = this.#outcomes >= rules.failures * BELIEVED_AFTER && this.#share >= BAD_SHARE
    if (retryAfterMs === undefined && !this.#open && !bad && this.failures < rules.failures) return false
    this.openFor(nowMs, rules.cooldownMs, reason)
    if (retryAfterMs !== undefined) {
      // Its own word, to the second.
      this.#openUntilMs = nowMs + Math.min(retryAfterMs, MAX_RETRY_AFTER_MS)
      this.#quietUntilMs = nowMs + Math.min(retryAfterMs, rules.cooldownMs)
    }
    return true
  }

  /** Opens it, or puts its time off. */
  openFor(nowMs: number, ms: number, reason: string): void {
    this.openings += 1
    this.reason = reason
    this.openedAtMs = nowMs
    this.#open = true
    this.#openUntilMs = nowMs + ms * (1 + JITTER * jitterOf(this.#seed, this.openings))
  }
}

/** From 0 to 1, different from one breaker and one opening to the next (a multiplicative hash, Knuth 6.4). */
function jitterOf(seed: number, opening: number): number {
  return (Math.imul(seed + opening * 7_919, 2_654_435_761) >>> 0) / 2 ** 32
}
