import { expect, test } from 'bun:test'
import { dateIn, dayBefore, standsToday } from './day.ts'

const SECOND = 1_000
const HOUR = 3_600_000

/** The offset of a zone by another road than the code under test: the engine's own words for it. */
function offsetOf(zone: string, instant: number): number {
  const name = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
    .formatToParts(instant)
    .find(({ type }) => type === 'timeZoneName')?.value
  const [, sign, hours, minutes, seconds] = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(name ?? '') ?? []
  const size = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000 + Number(seconds ?? 0) * SECOND
  return sign === '-' ? -size : size
}

const expected = (zone: string, instant: number): string => new Date(instant + offsetOf(zone, instant)).toISOString().slice(0, 10)

/** The first instant of a date in a zone. */
function midnightOf(zone: string, date: string): number {
  const asUtc = Date.parse(`${date}T00:00:00Z`)
  const guess = asUtc - offsetOf(zone, asUtc)
  return asUtc - offsetOf(zone, guess)
}

/** The hour in 2026 at which a zone's offset jumps, or undefined. */
function jumpOf(zone: string): number | undefined {
  const start = Date.UTC(2026, 0, 1)
  for (let day = 0; day < 365; day += 7) {
    const week = start + day * 24 * HOUR
    if (offsetOf(zone, week) === offsetOf(zone, week + 7 * 24 * HOUR)) continue
    for (let hour = 1; hour <= 168; hour += 1) {
      if (offsetOf(zone, week + hour * HOUR) !== offsetOf(zone, week)) return week + hour * HOUR
    }
  }
  return undefined
}

test('in every zone the day turns at its own midnight, also on a leap day and around a jump of the clock', () => {
  const zones = Intl.supportedValuesOf('timeZone')
  let instants = 0
  for (const zone of zones) {
    const midnight = midnightOf(zone, '2026-01-15')
    const leap = midnightOf(zone, '2028-02-29')
    const jump = jumpOf(zone)
    const tries = [midnight - SECOND, midnight, midnight + SECOND, leap - SECOND, leap, ...(jump ? [jump - SECOND, jump] : [])]
    for (const instant of tries) expect(`${zone} ${dateIn(zone, instant)}`).toBe(`${zone} ${expected(zone, instant)}`)
    instants += tries.length

    const last = { date: dateIn(zone, midnight - SECOND), zone, at: midnight - SECOND, streak: 1 }
    expect(last.date).toBe('2026-01-14')
    expect(standsToday(last, dateIn(zone, midnight), zone, midnight)).toBe(false)
    expect(dayBefore(dateIn(zone, midnight))).toBe(last.date)
    const next = { ...last, date: dateIn(zone, midnight), at: midnight }
    expect(standsToday(next, dateIn(zone, midnight + SECOND), zone, midnight + SECOND)).toBe(true)
    expect([dateIn(zone, leap), dayBefore('2028-03-01')]).toEqual(['2028-02-29', '2028-02-29'])
    // The clock set back by 25 hours: another date, but an earlier one.
    expect(standsToday(next, dateIn(zone, midnight - 25 * HOUR), zone, midnight - 25 * HOUR)).toBe(true)
  }
  expect(zones.length).toBeGreaterThan(400)
  expect(instants).toBeGreaterThan(2_400 - 400)
}, 60_000)

test('from any zone into any other there is no second day within 20 hours', () => {
  const zones = Intl.supportedValuesOf('timeZone')
  const at = Date.UTC(2026, 10, 22, 12)
  zones.forEach((from, index) => {
    const to = zones[(index * 7 + 1) % zones.length] ?? 'UTC'
    if (from === to) return
    const last = { date: dateIn(from, at), zone: from, at, streak: 1 }
    for (const hours of [0, 1, 12, 19.9]) expect(standsToday(last, dateIn(to, at + hours * HOUR), to, at + hours * HOUR)).toBe(true)
  })
})
