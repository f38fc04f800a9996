import type { Clock } from './clock.ts'
import { SlidingWindow } from './sliding-window.ts'

/** Keys kept in memory; the longest unused are dropped first. At ~350 bytes each this is 35 MB at most. */
export const MAX_KEYS = 100_000

/**
 * At most `limit` events per key in any 60 seconds, exact to a second. One process counts for itself: for what is too cheap to
 * ask others about. What processes share is limited by `Limiter`.
 */
export class RateLimiter {
  readonly #clock: Clock
  readonly #windows = new Map<string | number, SlidingWindow>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts one event. @returns 0 when it is allowed, else the seconds after which one will be */
  take(key: string | number, limit: number): number {
    const window = windowOf(this.#windows, key, Math.floor(this.#clock.monotonic() / 1000))
    if (window.sum >= limit) return window.wait(limit - 1)
    window.add(1)
    return 0
  }
}

/** The window of a key as of now; the longest unused one leaves for a new one. */
export function windowOf<K>(windows: Map<K, SlidingWindow>, key: K, second: number): SlidingWindow {
  let window = windows.get(key)
  // A Map keeps the order of insertion.
  if (window) windows.delete(key)
  else {
    window = new SlidingWindow(second)
    if (windows.size >= MAX_KEYS) for (const oldest of windows.keys().take(1)) windows.delete(oldest)
  }
  windows.set(key, window)
  window.advance(second)
  return window
}
