import type { Clock } from '../server/lib/clock.ts'

/** A clock that stands until a test moves it. */
export class ManualClock implements Clock {
  #now: number
  #monotonic = 1_000_000

  constructor(start = Date.UTC(2026, 10, 22, 12, 0, 0)) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#monotonic
  }

  advance(ms: number): void {
    this.#now += ms
    this.#monotonic += ms
  }

  /** Somebody sets the clock of the machine: no time passes. */
  set(epochMs: number): void {
    this.#now = epochMs
  }
}

/** Goes on by itself, so many times as fast as the real one; for what only time brings about. */
export class RunningClock extends ManualClock {
  readonly #startedMs = performance.now()
  readonly #speed: number

  constructor(speed = 1) {
    super()
    this.#speed = speed
  }

  override now(): number {
    return Math.floor(super.now() + this.#passedMs)
  }

  override monotonic(): number {
    return super.monotonic() + this.#passedMs
  }

  get #passedMs(): number {
    return (performance.now() - this.#startedMs) * this.#speed
  }
}
