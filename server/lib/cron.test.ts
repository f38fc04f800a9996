import { expect, test } from 'bun:test'
import { parseCron } from './cron.ts'

const next = (plan: string, after: string): string => {
  const at = parseCron(plan).next(Date.parse(after))
  return at === undefined ? 'never' : new Date(at).toISOString().slice(0, 16)
}

test('the next time of a plan is after the given one, to the minute', () => {
  expect(next('0 * * * *', '2026-11-23T04:00:00Z')).toBe('2026-11-23T05:00')
  expect(next('*/15 * * * *', '2026-11-23T04:14:59Z')).toBe('2026-11-23T04:15')
  expect(next('5/20 3 * * *', '2026-11-23T03:05:00Z')).toBe('2026-11-23T03:25')
  expect(next('@daily', '2026-12-31T00:00:00Z')).toBe('2027-01-01T00:00')
  expect(next('0 9 * * mon-fri', '2026-11-20T09:00:00Z')).toBe('2026-11-23T09:00')
  expect(next('0 0 * * 7', '2026-11-23T00:00:00Z')).toBe('2026-11-29T00:00')
  expect(next('0 0 29 feb *', '2026-11-23T00:00:00Z')).toBe('2028-02-29T00:00')
  expect(next('0 0 31 2 *', '2026-11-23T00:00:00Z')).toBe('never')
})

test('with both days given either one is enough', () => {
  expect(next('0 0 13 * 5', '2026-11-23T00:00:00Z')).toBe('2026-11-27T00:00')
  expect(next('0 0 13 * 5', '2026-12-12T00:00:00Z')).toBe('2026-12-13T00:00')
})

test('what is no plan is refused', () => {
  for (const plan of [
    '',
    '* * * *',
    '* * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '1-0 * * * *',
    '*/x * * * *',
    '1,,2 * * * *',
    '-1 * * * *',
    '1-2-3 * * * *',
    '__proto__',
  ])
    expect(() => parseCron(plan)).toThrow(RangeError)
})
