import { AppError } from '../../contract/errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { LiveSettings } from '../lib/live-settings.ts'
import type { Log } from '../lib/log.ts'

/** The first that come back after so long find the queue shorter: what was admitted ends, and nothing was added. */
const RETRY_SECONDS = 2
/** An overload is told of this often, not once for each call of it: a log must not make it worse. */
const TOLD_EVERY_MS = 10_000

/** What the gate looks at. */
export interface GateDeps {
  readonly clock: Clock
  readonly log: Log
  readonly settings: LiveSettings
  /** The ledger's queue. */
  readonly writer: { readonly waitedMs: number }
  /** Streams that are being delivered. */
  readonly streams: { readonly open: number }
}

/**
 * Lets calls in while there is room (promises.md R6): so many at once (`reliability_max_calls`), and only while the ledger keeps up
 * (`reliability_max_queue_seconds`). What was let in is never turned out, and nothing of it is refused here: settlements and raised
 * holds go to the ledger by themselves.
 */
export class Gate {
  readonly #deps: GateDeps
  /** Calls whose answer has not begun. */
  #handling = 0
  #toldAtMs = -Infinity
  #shed = 0

  constructor(deps: GateDeps) {
    this.#deps = deps
  }

  /** Calls that run: those without an answer yet, and streams up to their end or until their client leaves. */
  get inFlight(): number {
    return this.#handling + this.#deps.streams.open
  }

  /** Counts the call in until `leave`. @returns why it is not let in instead: it is not counted, and must not leave */
  enter(): AppError | undefined {
    const { settings, writer } = this.#deps
    const most = settings.integer('reliability_max_calls')
    if ((most > 0 && this.inFlight >= most) || writer.waitedMs >= settings.integer('reliability_max_queue_seconds') * 1_000)
      return this.#refuse()
    this.#handling += 1
    return undefined
  }

  /** The answer of a call that was let in has begun; a stream is counted by what delivers it. */
  leave(): void {
    this.#handling -= 1
  }

  #refuse(): AppError {
    this.#shed += 1
    const now = this.#deps.clock.monotonic()
    if (now - this.#toldAtMs >= TOLD_EVERY_MS) {
      this.#toldAtMs = now
      this.#deps.log.warn('calls are turned away: more than can be taken', {
        turned_away: this.#shed,
        in_flight: this.inFlight,
        ledger_waits_ms: Math.round(this.#deps.writer.waitedMs),
      })
      this.#shed = 0
    }
    return new AppError('overloaded', { retryAfterSeconds: RETRY_SECONDS })
  }
}
