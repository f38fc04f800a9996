import type { Clock } from '../lib/clock.ts'

/** A stream that is open: what the watch may do to it. */
export interface Watched {
  /** When something last went to the client, monotonic ms. */
  sentAtMs: number
  /** When something last came from the upstream, monotonic ms. */
  heardAtMs: number
  /** Sends a comment or ping. */
  keepAlive(): void
  /** The upstream was silent for too long. */
  timeOut(): void
}

/** One timer for all streams: 2,000 open streams cost one sweep a second, not 4,000 timers. */
const SWEEP_MS = 1_000

/** Keeps silent streams open towards the client and ends those whose upstream went silent. */
export class StreamWatch {
  readonly #clock: Clock
  readonly #keepAliveMs: number
  readonly #idleTimeoutMs: () => number
  readonly #streams = new Set<Watched>()
  #timer: ReturnType<typeof setInterval> | undefined
  #nowMs: number

  constructor(clock: Clock, keepAliveMs: number, idleTimeoutMs: () => number) {
    this.#clock = clock
    this.#keepAliveMs = keepAliveMs
    this.#idleTimeoutMs = idleTimeoutMs
    this.#nowMs = clock.monotonic()
  }

  /** Streams open now. */
  get open(): number {
    return this.#streams.size
  }

  add(stream: Watched): void {
    this.#streams.add(stream)
    if (this.#timer) return
    this.#nowMs = this.#clock.monotonic()
    this.#timer = setInterval(() => this.sweep(), SWEEP_MS)
  }

  remove(stream: Watched): void {
    this.#streams.delete(stream)
    if (this.#streams.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** The time as of the last sweep, monotonic ms: exact enough for time-outs of seconds, and free for every chunk. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Looks at every open stream once. */
  sweep(): void {
    const now = (this.#nowMs = this.#clock.monotonic())
    const idleTimeoutMs = this.#idleTimeoutMs()
    for (const stream of this.#streams) {
      if (now - stream.heardAtMs >= idleTimeoutMs) stream.timeOut()
      else if (now - stream.sentAtMs >= this.#keepAliveMs) {
        stream.sentAtMs = now
        stream.keepAlive()
      }
    }
  }
}
