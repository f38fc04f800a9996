import { DAY_MS, QUARTER_MS } from '../../lib/clock.ts'

/** The day of an instant as a number, YYYYMMDD; its month is that without the last two digits. */
export type Calendar = (instant: number) => number

/** Days as the zone has them; a zone that this machine does not know counts as UTC. Remembers the last answer: every call asks. */
export function calendarOf(zone: () => string): Calendar {
  let quarter = NaN
  let named = ''
  let day = 0
  let format = formatOf('UTC')
  return (instant) => {
    const now = Math.floor(instant / QUARTER_MS)
    const name = zone()
    if (now === quarter && name === named) return day
    if (name !== named) format = formatOf(name)
    quarter = now
    named = name
    const parts = format.formatToParts(instant)
    const part = (type: 'year' | 'month' | 'day'): number => Number(parts.find((each) => each.type === type)?.value)
    day = part('year') * 10_000 + part('month') * 100 + part('day')
    return day
  }
}

/** The month of a day. */
export function monthOf(day: number): number {
  return Math.floor(day / 100)
}

/**
 * Whether `day` is the day before `later`. Around midnight calls are booked in any order, and clocks of processes differ a little:
 * the day before the one that is counted already is no new day.
 */
export function isEve(day: number, later: number): boolean {
  // Most often the same day: no date is computed.
  return day < later && instantOf(later) - instantOf(day) === DAY_MS
}

function instantOf(day: number): number {
  return Date.UTC(Math.floor(day / 10_000), (monthOf(day) % 100) - 1, day % 100)
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const options = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
  try {
    return new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', { ...options, timeZone })
  } catch {
    return new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', { ...options, timeZone: 'UTC' })
  }
}
