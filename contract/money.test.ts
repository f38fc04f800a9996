import { describe, expect, test } from 'bun:test'
import { decimalInput, nonNegativeDecimal } from './decimal.ts'
import { formatMoney, money, MONEY_MAX, mulDiv, parseMoney } from './money.ts'

const written = (text: string): string | undefined => {
  const amount = parseMoney(text)
  return amount === undefined ? undefined : formatMoney(amount)
}
const taken = (value: unknown): string | undefined => {
  const { success, data } = decimalInput.safeParse(value)
  return success ? formatMoney(data) : undefined
}

describe('an amount as text', () => {
  test.each([
    ['0', '0'],
    ['1.50', '1.5'],
    ['+1', '1'],
    [' 2 ', '2'],
    ['5.', '5'],
    ['.5', '0.5'],
    ['-.25', '-0.25'],
    ['+.25', '0.25'],
    ['-0', '0'],
    ['-12.0000000001', '-12.0000000001'],
    ['0.00000000010000', '0.0000000001'],
    ['100000000', '100000000'],
    ['-100000000', '-100000000'],
  ])('%s is %s', (text, amount) => expect(written(text)).toBe(amount))

  test.each(['', ' ', '.', '-', '+.', '1e3', '0x1', '1,5', '1 2', '1.2.3', '--1', 'NaN', '١', '0.00000000001', '1234567890123456'])(
    '%p is none',
    (text) => expect(written(text)).toBeUndefined(),
  )

  test('above a hundred million it is refused, below zero too', () => {
    expect(['100000000.0000000001', '-100000000.0000000001', '999999999999999'].map(written)).toEqual([undefined, undefined, undefined])
    expect(written('100000000')).toBe(formatMoney(money(MONEY_MAX)))
  })
})

describe('an amount in JSON', () => {
  test('a number means the digits it is written with, also where JavaScript writes an exponent', () => {
    expect([1, 0.1, -2.5, 0, -0, 1e-6, 1e-7, 2.5e-7, -1.25e-8, 1e-10, 1e8].map(taken)).toEqual([
      '1',
      '0.1',
      '-2.5',
      '0',
      '0',
      '0.000001',
      '0.0000001',
      '0.00000025',
      '-0.0000000125',
      '0.0000000001',
      '100000000',
    ])
  })

  test('nothing is rounded away: what has more than ten decimals is refused as a number as it is as a text', () => {
    for (const value of [1e-11, 1e-13, 5e-324, 1.5e-10, 1.00000001e-7, -4e-13, 0.00000000015])
      expect([value, taken(value)]).toEqual([value, undefined])
    expect(['0.0000000000001', '0.00000000015', '1e-7', ''].map(taken)).toEqual([undefined, undefined, undefined, undefined])
  })

  test('what is no amount is refused with a text that says what is wanted', () => {
    for (const value of [1e21, 1e9, Number.NaN, Infinity, null, true, [], {}]) expect([value, taken(value)]).toEqual([value, undefined])
    expect(decimalInput.safeParse('x').error?.issues[0]?.message).toBe('must be a plain decimal with at most 10 decimal places')
    expect(nonNegativeDecimal.safeParse('-0.1').error?.issues[0]?.message).toBe('must not be negative')
    expect(nonNegativeDecimal.safeParse('0').success).toBe(true)
  })
})

describe('one rounding', () => {
  test('down, half up and up, away from and towards zero the same for debts as for credits', () => {
    const all = (value: bigint): bigint[] => (['down', 'half_up', 'up'] as const).map((how) => mulDiv(value, 1n, 4n, how))
    expect([4n, 5n, 6n, 7n].map(all)).toEqual([
      [1n, 1n, 1n],
      [1n, 1n, 2n],
      [1n, 2n, 2n],
      [1n, 2n, 2n],
    ])
    expect([-4n, -5n, -6n, -7n].map(all)).toEqual([
      [-1n, -1n, -1n],
      [-1n, -1n, -2n],
      [-1n, -2n, -2n],
      [-1n, -2n, -2n],
    ])
    expect([mulDiv(5n, -3n, 2n, 'half_up'), mulDiv(0n, 7n, 2n, 'up')]).toEqual([-8n, 0n])
  })

  test('nothing is divided by zero or by less', () => {
    for (const denominator of [0n, -1n]) expect(() => mulDiv(1n, 1n, denominator, 'down')).toThrow(RangeError)
  })

  test('a debt is written with its sign, however small', () => {
    expect([-1n, -10_000_000_000n, 1n, 10_000_000_001n].map((units) => formatMoney(money(units)))).toEqual([
      '-0.0000000001',
      '-1',
      '0.0000000001',
      '1.0000000001',
    ])
  })
})
