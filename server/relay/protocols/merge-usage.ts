import type { Usage, UsageDetails } from '../../../contract/meters.ts'
import type { TapResult } from './protocol.ts'

/**
 * Splits cache writes known only in total by the lifetimes seen before. What no split ever named is a 5-minute write, the
 * default lifetime and the cheaper one, unless every write so far was a 1-hour one.
 */
export function splitWrites(
  total: number,
  known: { cacheWrite?: number; cacheWrite1h?: number },
): { cacheWrite: number; cacheWrite1h: number } {
  const hour = known.cacheWrite1h ?? 0
  if (hour > 0 && !known.cacheWrite) return { cacheWrite: 0, cacheWrite1h: total }
  const cacheWrite1h = Math.min(hour, total)
  return { cacheWrite: total - cacheWrite1h, cacheWrite1h }
}

/** Merges what one frame told over what earlier frames told: a later count replaces an earlier one, field by field. */
export function mergeTapUsage(into: Partial<Usage & UsageDetails>, found: TapResult): void {
  if (found.usage) Object.assign(into, found.usage)
  if (found.cacheWriteTotal !== undefined) Object.assign(into, splitWrites(found.cacheWriteTotal, into))
}
