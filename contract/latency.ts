/** Upper ends in ms of a latency histogram's places; what is longer has the last place. Counts of places can be added up, percentiles cannot. */
export const latencyBounds = [100, 200, 400, 700, 1_000, 2_000, 4_000, 8_000, 16_000, 40_000, 120_000] as const

/** One more than the bounds: the last place has no end. */
export const LATENCY_PLACES = latencyBounds.length + 1

/**
 * A percentile of counted latencies, in whole ms, straight between the ends of its place; the last place answers its lower end.
 * @param share such as 0.95
 * @returns null when nothing was counted
 */
export function percentileOf(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  const rank = share * total
  let before = 0
  for (const [place, count] of counts.entries()) {
    if (count > 0 && before + count >= rank) {
      const low = place === 0 ? 0 : (latencyBounds[place - 1] ?? 0)
      const high = latencyBounds[place] ?? low
      return Math.round(low + ((high - low) * (rank - before)) / count)
    }
    before += count
  }
  return latencyBounds.at(-1) ?? null
}
