/** Two series of times, measured in turns so that whatever else the machine does falls on both alike. */
export interface Timings {
  readonly medians: readonly [number, number]
  /** Welch's t of the two means: beyond 4.5 they differ for a reason (promises.md S7). */
  readonly t: number
}

/** Measures both, in turns, in milliseconds; `rounds` times each, after a few that do not count. */
export async function compareTimes(rounds: number, first: () => Promise<unknown>, second: () => Promise<unknown>): Promise<Timings> {
  const times: [number[], number[]] = [[], []]
  for (let round = -3; round < rounds; round += 1) {
    // Each goes first every other time.
    const order = round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)
    for (const which of order) {
      const from = performance.now()
      await (which === 0 ? first : second)()
      if (round >= 0) times[which].push(performance.now() - from)
    }
  }
  return { medians: [median(times[0]), median(times[1])], t: welch(...times) }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function welch(left: readonly number[], right: readonly number[]): number {
  const [a, b] = [moments(left), moments(right)]
  return (a.mean - b.mean) / Math.sqrt(a.variance / left.length + b.variance / right.length)
}

function moments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) }
}
