import { DAY_MS, HOUR_MS } from '../../lib/clock.ts'

/** When the day cannot be told by the date alone (the zone was changed), this long must lie between two rewards. */
const MIN_GAP_MS = 20 * HOUR_MS

/** What the rule needs of the latest check-in. */
export interface LastDay {
  date: string
  zone: string
  at: number
  streak: number
}

/**
 * The calendar date of an instant in a zone, `YYYY-MM-DD`.
 * @throws RangeError for a zone this machine does not know
 */
export function dateIn(zone: string, instant: number): string {
  const parts = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(instant)
  const part = (type: 'year' | 'month' | 'day'): string => parts.find((each) => each.type === type)?.value ?? ''
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`
}

/** The date before. */
export function dayBefore(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) - DAY_MS).toISOString().slice(0, 10)
}

/**
 * Whether the latest check-in still stands for `today`: the same date or a later one (the clock was set back), an
 * instant that lies ahead, or another zone less than 20 hours ago (W83).
 */
export function standsToday(last: LastDay | undefined, today: string, zone: string, now: number): boolean {
  if (!last) return false
  return last.date >= today || last.at > now || (last.zone !== zone && now - last.at < MIN_GAP_MS)
}
