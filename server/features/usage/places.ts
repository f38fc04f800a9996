import { AppError } from '../../../contract/errors.ts'
import type { usageBuckets } from '../../../contract/api/usage.ts'
import { offsetsOf, stretchesOf, type Stretch } from './zone.ts'
import { DAY_MS, HOUR_MS, QUARTER_MS } from '../../lib/clock.ts'

/** Places of one chart: more than any screen has points, and a bound of the answer's size. */
const MAX_PLACES = 1_000
/** Longest range: ten years and some days. */
const MAX_DAYS = 3_660

export type Bucket = (typeof usageBuckets)[number]

/** A part of the range, with how its instants are told to places. */
export interface Part extends Stretch {
  place: { width: number; shift: number } | undefined
  /** The index in `starts` of a place as the database numbers it. */
  index(place: number): number
}

export interface Places {
  /** When each place begins, epoch ms; the first at the range's own beginning or before it. */
  starts: number[]
  parts: Part[]
}

/**
 * Divides a range into hours, days or months as the zone's clocks have them: a day of 23 or 25 hours is one day.
 * @throws AppError bad_request for an unknown zone or too many places
 */
export function placesOf(from: number, before: number, bucket: Bucket, timeZone: string): Places {
  if (before - from > MAX_DAYS * DAY_MS)
    throw new AppError('bad_request', { message: `to: must be at most ${MAX_DAYS} days after from`, param: 'to' })
  const offsetAt = zoneOf(timeZone)
  if (bucket === 'none') {
    const whole = { from, before, offset: 0, place: undefined, index: () => 0 }
    return { starts: [from], parts: [whole] }
  }
  const starts: number[] = []
  const indices = new Map<string, number>()
  /** A place by its name: the same local day or month is one place on both sides of a change of the clocks. */
  const indexOf = (name: string, start: number): number => {
    let index = indices.get(name)
    if (index === undefined) {
      if (starts.length >= MAX_PLACES)
        throw new AppError('bad_request', { message: `bucket: the range has more than ${MAX_PLACES} of them`, param: 'bucket' })
      index = starts.length
      starts.push(start)
      indices.set(name, index)
    }
    return index
  }
  const parts = stretchesOf(offsetAt, from, before).map((stretch): Part => {
    const byDay = bucket === 'day' || bucket === 'month'
    const width = byDay ? DAY_MS : bucket === 'hour' ? HOUR_MS : QUARTER_MS
    // Hours that the clocks show twice stay two: only what they are off by within an hour moves them.
    const shift = byDay ? stretch.offset : stretch.offset % width
    const index = (place: number): number => {
      const local = place * width
      const date = new Date(local)
      const start = bucket === 'month' ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth()) : local
      return indexOf(byDay ? `day ${start}` : `at ${local - shift}`, start - shift)
    }
    for (let place = Math.floor((stretch.from + shift) / width); place * width - shift < stretch.before; place += 1) index(place)
    return { ...stretch, place: { width, shift }, index }
  })
  return { starts, parts }
}

function zoneOf(timeZone: string): (instant: number) => number {
  try {
    return offsetsOf(timeZone)
  } catch (cause) {
    throw new AppError('bad_request', { message: 'tz: must be an IANA time zone such as Asia/Shanghai', param: 'tz', cause })
  }
}
