import { LATENCY_PLACES, percentileOf } from '../../../contract/latency.ts'
import type { AdminPoint, AdminTotals } from '../../../contract/api/usage.ts'
import { formatMoney, money, ZERO } from '../../../contract/money.ts'
import type { UsageCounts } from '../../db/schema.ts'

type Counts = Partial<UsageCounts>

/** Adds a row's counts to a sum. */
export function add(sum: Counts, row: object): void {
  for (const [name, value] of Object.entries(row) as [keyof UsageCounts, number | bigint | string | null][]) {
    if (typeof value === 'number') sum[name] = (((sum[name] as number | undefined) ?? 0) + value) as never
    else if (typeof value === 'bigint') sum[name] = (((sum[name] as bigint | undefined) ?? 0n) + value) as never
  }
}

const userCounts = [
  'requests',
  'parts',
  'errors',
  'abandoned',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
] as const

/** What a user sees of one point. */
export function userPointOf(sum: Counts) {
  const shown = Object.fromEntries(userCounts.map((name) => [name, sum[name] ?? 0])) as Record<(typeof userCounts)[number], number>
  return { ...shown, cost: formatMoney(sum.cost ?? ZERO) }
}

/** One point with what was earned. */
export function adminPointOf(sum: Counts): AdminPoint {
  const { cost = ZERO, upstream_cost: upstream = ZERO, unknown_cost_sales: unknown = ZERO } = sum
  return {
    ...userPointOf(sum),
    uncollected: formatMoney(sum.uncollected ?? ZERO),
    upstream_cost: formatMoney(upstream),
    margin: formatMoney(money(cost - unknown - upstream)),
    unknown_cost_sales: formatMoney(unknown),
    unknown_cost_requests: sum.unknown_cost_requests ?? 0,
  }
}

function ratesOf(sum: Counts) {
  const places = (prefix: 'first' | 'whole'): number[] =>
    Array.from({ length: LATENCY_PLACES }, (_, place) => sum[`${prefix}_${place}` as keyof UsageCounts] as number | undefined).map(
      (count) => count ?? 0,
    )
  const calls = (sum.requests ?? 0) + (sum.parts ?? 0)
  const input = sum.input_tokens ?? 0
  return {
    first_token_p50: percentileOf(places('first'), 0.5),
    first_token_p95: percentileOf(places('first'), 0.95),
    duration_p50: percentileOf(places('whole'), 0.5),
    duration_p95: percentileOf(places('whole'), 0.95),
    error_rate: calls === 0 ? 0 : (sum.errors ?? 0) / calls,
    cache_hit_rate: input === 0 ? 0 : (sum.cached_input_tokens ?? 0) / input,
  }
}

export function userTotalsOf(sum: Counts) {
  return { ...userPointOf(sum), ...ratesOf(sum) }
}

export function adminTotalsOf(sum: Counts): AdminTotals {
  return { ...adminPointOf(sum), ...ratesOf(sum) }
}
