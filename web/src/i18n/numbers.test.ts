import { expect, test } from 'bun:test'
import { amountInput, compactCount, duration, exactMoney, relativeTime, shortMoney } from './numbers.ts'

test('a short amount has two to six decimals and at least two significant digits, and a charge is never 0.00', () => {
  const shown = (text: string) => shortMoney(text, '$', 'en')
  expect(shown('0')).toBe('$0.00')
  expect(shown('1234567.891')).toBe('$1,234,567.89')
  expect(shown('0.5')).toBe('$0.50')
  expect(shown('0.05')).toBe('$0.050')
  expect(shown('0.0123456')).toBe('$0.012')
  expect(shown('0.0000123456')).toBe('$0.000012')
  expect(shown('0.000001')).toBe('$0.000001')
  expect(shown('0.0000009999')).toBe('<$0.000001')
  expect(shown('-3.456')).toBe('−$3.46')
  expect(shown('not money')).toBe('not money')
})

test('a balance is never shown higher than it is', () => {
  expect(shortMoney('9.99988', '$', 'en', 'down')).toBe('$9.99')
  expect(shortMoney('9.99988', '$', 'en')).toBe('$10.00')
  expect(shortMoney('10', '$', 'en', 'down')).toBe('$10.00')
})

test('a currency written in letters follows the amount', () => {
  expect(shortMoney('1.5', 'USD', 'en')).toBe('1.50 USD')
})

test('an exact amount keeps all ten decimals, also beyond what a double can hold', () => {
  expect(exactMoney('12345678.0000012345', '$', 'en')).toBe('$12,345,678.0000012345')
  expect(exactMoney('2', '$', 'zh-CN')).toBe('$2.00')
  expect(exactMoney('-0.00000000000000000000000125', '$', 'en')).toBe('−$0.00000000000000000000000125')
})

test('a typed amount takes both separators and refuses what would be rounded', () => {
  expect(amountInput('1,50')).toBe('1.5')
  expect(amountInput(' 10 ')).toBe('10')
  expect(amountInput('-1')).toBeUndefined()
  expect(amountInput('1e3')).toBeUndefined()
  expect(amountInput('0.00000000001')).toBeUndefined()
})

test('token counts stay whole below ten thousand, then shorten in the language', () => {
  expect(compactCount(9_999, 'en')).toBe('9,999')
  expect(compactCount(12_345, 'en')).toBe('12.3k')
  expect(compactCount(4_561_000, 'en')).toBe('4.56M')
  expect(compactCount(12_345, 'zh-CN')).toBe('1.23万')
})

test('durations are milliseconds below ten seconds', () => {
  expect(duration(412, 'en')).toBe('412 ms')
  expect(duration(12_340, 'en')).toBe('12.3 sec')
})

test('times become relative, then a date after a week', () => {
  const now = new Date('2026-11-22T12:00:00Z')
  expect(relativeTime(new Date('2026-11-22T11:57:00Z'), now, 'en')).toBe('3 min. ago')
  expect(relativeTime(new Date('2026-11-01T12:00:00Z'), now, 'en')).toBe('Nov 1, 2026')
})
