import type { Clock } from './clock.ts'

const WINDOW_SECONDS = 60
/** Keys kept in memory; the longest unused are dropped first. At ~350 bytes each this is 35 MB at most. */
const MAX_KEYS = 100_000

interface Window {
  counts: Uint32Array
  sum: number
  second: number
}

/**
 * At most `limit` events per key in any 60 seconds, exact to a second: no double burst at a window's edge (W87).
 * One process counts for itself.
 */
export class RateLimiter {
  readonly #clock: Clock
  readonly #windows = new Map<string | number, Window>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts one event. @returns 0 when it is allowed, else the seconds after which one will be */
  take(key: string | number, limit: number): number {
    const second = Math.floor(this.#clock.monotonic() / 1000)
    const window = this.#window(key, second)
    this.#advance(window, second)
    if (window.sum >= limit) return this.#wait(window, limit)
    const slot = second % WINDOW_SECONDS
    window.counts[slot] = (window.counts[slot] ?? 0) + 1
    window.sum += 1
    return 0
  }

  #window(key: string | number, second: number): Window {
    let window = this.#windows.get(key)
    if (window) return window
    if (this.#windows.size >= MAX_KEYS) {
      const oldest = this.#windows.keys().next()
      if (!oldest.done) this.#windows.delete(oldest.value)
    }
    window = { counts: new Uint32Array(WINDOW_SECONDS), sum: 0, second }
    this.#windows.set(key, window)
    return window
  }

  #advance(window: Window, second: number): void {
    const steps = Math.min(second - window.second, WINDOW_SECONDS)
    for (let step = 1; step <= steps; step += 1) {
      const slot = (window.second + step) % WINDOW_SECONDS
      window.sum -= window.counts[slot] ?? 0
      window.counts[slot] = 0
    }
    window.second = second
  }

  /** Seconds until enough of the window has passed. */
  #wait(window: Window, limit: number): number {
    let sum = window.sum
    for (let step = 1; step <= WINDOW_SECONDS; step += 1) {
      sum -= window.counts[(window.second + step) % WINDOW_SECONDS] ?? 0
      if (sum < limit) return step
    }
    return WINDOW_SECONDS
  }
}
