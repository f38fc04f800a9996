import { Breaker, type BreakerRules } from './breaker.ts'

/** How long a key that was refused is left alone, as a multiple of the cooldown: neither a bad key nor credit heals in seconds. */
const REFUSED_COOLDOWNS = 10

/** What a key did wrong: refused for good until something changes, or only too fast. */
export type KeyFault = 'refused' | 'rate_limit'

/**
 * The keys of one channel, used in turn; one that was refused or is too fast is left out until its time is over. One key of
 * several goes at its first refusal; the last one only when it was refused as often as opens a breaker, because with it goes
 * the channel.
 */
export class KeyRing {
  readonly keys: readonly string[]
  readonly breakers: readonly Breaker[]
  #turn = 0

  constructor(keys: readonly string[], seed: number) {
    this.keys = keys
    this.breakers = keys.map((_, index) => new Breaker(seed * 31 + index))
  }

  /** The key whose turn it is among those that may be used, `preferred` before all; undefined: none may. */
  next(nowMs: number, preferred: number | undefined, lastResort: boolean, trials: number): number | undefined {
    const { breakers } = this
    if (preferred !== undefined && breakers[preferred]?.allows(nowMs, lastResort, trials)) return preferred
    for (let step = 0; step < breakers.length; step++) {
      const index = (this.#turn + step) % breakers.length
      if (!breakers[index]?.allows(nowMs, lastResort, trials)) continue
      this.#turn = index + 1
      return index
    }
    return undefined
  }

  /** When the first key may be used again: 0 when one may now. */
  blockedUntilMs(nowMs: number): number {
    let soonest = Infinity
    for (const breaker of this.breakers) {
      if (breaker.state(nowMs) !== 'open') return 0
      soonest = Math.min(soonest, breaker.openUntilMs)
    }
    return soonest
  }

  /** @returns whether no key is left now */
  failed(index: number, fault: KeyFault, nowMs: number, rules: BreakerRules, reason: string, retryAfterMs: number | undefined): boolean {
    const breaker = this.breakers[index]
    if (!breaker) return false
    const others = this.breakers.some((other, at) => at !== index && other.state(nowMs) !== 'open')
    const failures = others ? 1 : rules.failures
    const cooldownMs = rules.cooldownMs * (fault === 'refused' ? REFUSED_COOLDOWNS : 1)
    breaker.failed(nowMs, { failures, cooldownMs }, reason, retryAfterMs)
    return this.blockedUntilMs(nowMs) > 0
  }
}
