import { DAY_MS, QUARTER_MS } from '../../lib/clock.ts'
/** A stretch of time in which a zone's clocks are the same way off UTC. */
export interface Stretch {
  /** Epoch ms; the end is exclusive. */
  from: number
  before: number
  /** ms to add to UTC. */
  offset: number
}

/** ms by which clocks of the zone are ahead of UTC at an instant. @throws RangeError for an unknown zone */
export function offsetsOf(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (instant) => {
    const parts = format.formatToParts(instant)
    const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((each) => each.type === type)?.value)
    const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
    return local - Math.floor(instant / 1_000) * 1_000
  }
}

/** Cuts a range at the changes of the zone's clocks. */
export function stretchesOf(offsetAt: (instant: number) => number, from: number, before: number): Stretch[] {
  const stretches: Stretch[] = []
  let start = from
  let offset = offsetAt(from)
  for (let at = from; at < before;) {
    const next = Math.min(at + DAY_MS, before)
    const there = offsetAt(next - 1)
    if (there === offset) {
      at = next
      continue
    }
    const change = firstChange(offsetAt, offset, at, next)
    stretches.push({ from: start, before: change, offset })
    start = change
    offset = offsetAt(change)
    at = change
  }
  stretches.push({ from: start, before, offset })
  return stretches
}

/** The first quarter of an hour in the range at which the clocks differ from `offset`. */
function firstChange(offsetAt: (instant: number) => number, offset: number, from: number, before: number): number {
  let low = Math.floor(from / QUARTER_MS)
  let high = Math.ceil(before / QUARTER_MS)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle * QUARTER_MS) === offset) low = middle
    else high = middle
  }
  return high * QUARTER_MS
}
