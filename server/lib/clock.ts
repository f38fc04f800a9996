/** Time comes in through Deps; no test sleeps. */
export interface Clock {
  /** Epoch milliseconds, UTC: for what is stored. */
  now(): number
  /** Milliseconds that never go back: for durations. */
  monotonic(): number
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }

/** RFC 3339 in UTC, as the wire has times (contract.md 1.2). */
export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

/** A nullable time column on the wire. */
export function isoTimeOrNull(epochMs: number | null): string | null {
  return epochMs === null ? null : isoTime(epochMs)
}
