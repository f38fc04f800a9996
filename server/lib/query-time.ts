import { AppError } from '../../contract/errors.ts'
import { DAY_MS } from './clock.ts'

/**
 * A time of a query (contract.md 3.5): RFC 3339, `YYYY-MM-DDTHH:MM[:SS]` or `YYYY-MM-DD`, UTC where no offset is given. An end
 * is exclusive; a date as end means its whole day.
 * @returns epoch ms, or undefined for none
 * @throws AppError bad_request `invalid time format`
 */
export function queryTime(text: string | undefined, side: 'start' | 'end'): number | undefined {
  if (text === undefined || text.trim() === '') return undefined
  // A `+` of an offset arrives as a blank when it was not encoded.
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+ -]\d\d:\d\d)?)?$/i.exec(text.trim())
  if (!match) throw new AppError('bad_request', { message: 'invalid time format' })
  const [, date, clock, offset] = match
  const epoch = Date.parse(clock === undefined ? `${date}T00:00:00Z` : `${date}T${clock}${(offset ?? 'Z').replace(' ', '+')}`)
  if (Number.isNaN(epoch) || !isCalendarDay(date)) throw new AppError('bad_request', { message: 'invalid time format' })
  if (side === 'start') return epoch
  return clock === undefined ? epoch + DAY_MS : epoch + 1
}

/** From (inclusive) to before, epoch ms. */
export interface Span {
  from: number | undefined
  before: number | undefined
}

/** The times of a list's query. @throws AppError bad_request `invalid time format` */
export function spanOf(query: Partial<Record<'start_time' | 'start_date' | 'end_time' | 'end_date', string | undefined>>): Span {
  return {
    from: queryTime(query.start_time ?? query.start_date, 'start'),
    before: queryTime(query.end_time ?? query.end_date, 'end'),
  }
}

/** `Date.parse` takes 30 February for 2 March. */
function isCalendarDay(date: string | undefined): boolean {
  const midnight = new Date(`${date}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().slice(0, 10) === date
}
