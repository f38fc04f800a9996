/** Time comes in through Deps; no test sleeps. */
export interface Clock {
  /** Epoch milliseconds, UTC: for what is stored. */
  now(): number
  /** Milliseconds that never go back: for durations. */
  monotonic(): number
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }

/** Zones change their clocks on a multiple of a quarter of an hour, and their days begin on one. */
export const QUARTER_MS = 900_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** RFC 3339 in UTC, as the wire has times (contract.md 1.2). */
export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

/** A nullable time column on the wire. */
export function isoTimeOrNull(epochMs: number | null): string | null {
  return epochMs === null ? null : isoTime(epochMs)
}
