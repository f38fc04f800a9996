export const WINDOW_SECONDS = 60

/** What was counted in the last 60 seconds, by the second: no double burst at an edge (W87). Seconds are those of one clock. */
export class SlidingWindow {
  sum = 0
  readonly #counts = new Uint32Array(WINDOW_SECONDS)
  #second: number

  constructor(second: number) {
    this.#second = second
  }

  /** Lets go what is older than the window. */
  advance(second: number): void {
    const steps = Math.min(second - this.#second, WINDOW_SECONDS)
    for (let step = 1; step <= steps; step += 1) {
      const slot = (this.#second + step) % WINDOW_SECONDS
      this.sum -= this.#counts[slot] ?? 0
      this.#counts[slot] = 0
    }
    if (steps > 0) this.#second = second
  }

  /** Counts now, as of the last `advance`. */
  add(amount: number): void {
    const slot = this.#second % WINDOW_SECONDS
    this.#counts[slot] = (this.#counts[slot] ?? 0) + amount
    this.sum += amount
  }

  /** Takes back what was counted at a second, if that is still in the window. */
  takeBack(amount: number, second: number): void {
    if (second <= this.#second - WINDOW_SECONDS) return
    const slot = second % WINDOW_SECONDS
    const back = Math.min(amount, this.#counts[slot] ?? 0)
    this.#counts[slot] = (this.#counts[slot] ?? 0) - back
    this.sum -= back
  }

  /** Seconds until at most `rest` is left of what is counted now; at most the whole window. */
  wait(rest: number): number {
    let sum = this.sum
    for (let step = 1; step < WINDOW_SECONDS; step += 1) {
      sum -= this.#counts[(this.#second + step) % WINDOW_SECONDS] ?? 0
      if (sum <= rest) return step
    }
    return WINDOW_SECONDS
  }
}
