import { expect, test } from 'bun:test'
import { retryAfterOf } from './attempt.ts'

const of = (headers: Record<string, string>) => retryAfterOf(new Headers(headers))

test('what an upstream asks to wait is read as seconds, milliseconds or a date by its own clock; nonsense is nothing', () => {
  expect(of({ 'retry-after': '7' })).toBe(7)
  expect(of({ 'retry-after': '1.2' })).toBe(2)
  expect(of({ 'retry-after': '60', 'retry-after-ms': '1500' })).toBe(2)
  expect(of({ 'retry-after': 'Mon, 23 Nov 2026 04:00:30 GMT', date: 'Mon, 23 Nov 2026 04:00:00 GMT' })).toBe(30)
  for (const text of ['', '0', '-5', 'soon', 'Infinity', 'Mon, 23 Nov 2026 04:00:30 GMT'])
    expect(of({ 'retry-after': text })).toBeUndefined()
  expect(of({})).toBeUndefined()
})
