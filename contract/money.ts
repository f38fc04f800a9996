/**
 * An amount of the platform's currency in units of 1e-10 (scale 10).
 * Decimal string on the wire, integer in the database, never a float: every sum is exact.
 * Pure: the console loads this file; the zod codecs of the wire are in decimal.ts.
 */
export type Money = bigint & { readonly __money: unique symbol }

/** Decimal places kept; the contract's log costs and prices have ten (contract.md 2.7, 2.11). */
export const MONEY_SCALE = 10
/** One whole unit of the currency. */
export const MONEY_ONE = 10n ** BigInt(MONEY_SCALE)
/** Largest amount accepted from outside: keeps sums of a billion rows inside a signed 64-bit column. */
export const MONEY_MAX = 100_000_000n * MONEY_ONE

/** At least one digit, before the point or right behind it. */
const PLAIN = /^([+-]?)(?=\.?\d)(\d{0,15})(?:\.(\d*))?$/

/** Marks an integer count of 1e-10 units as Money. */
export function money(units: bigint): Money {
  return units as Money
}

export const ZERO: Money = money(0n)

/**
 * Parses plain decimal notation ("1.5", "-0.0000000001"). Digits beyond the tenth place must be zero.
 * @returns the amount, or undefined when the text is not a plain decimal, too precise or too large
 */
export function parseMoney(text: string): Money | undefined {
  const match = PLAIN.exec(text.trim())
  if (!match) return undefined
  const fraction = (match[3] ?? '').replace(/0+$/, '')
  if (fraction.length > MONEY_SCALE) return undefined
  const units = BigInt(match[2] || '0') * MONEY_ONE + BigInt(fraction.padEnd(MONEY_SCALE, '0'))
  if (units > MONEY_MAX) return undefined
  return money(match[1] === '-' ? -units : units)
}

/** Formats without padding or exponent: "0", "1.5", "-0.0000000001". */
export function formatMoney(amount: Money): string {
  const negative = amount < 0n
  const digits = (negative ? -amount : amount).toString().padStart(MONEY_SCALE + 1, '0')
  const whole = digits.slice(0, -MONEY_SCALE)
  const fraction = digits.slice(-MONEY_SCALE).replace(/0+$/, '')
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

export type Rounding = 'down' | 'half_up' | 'up'

/**
 * `value * numerator / denominator` with one rounding, away from and towards zero symmetrically.
 * @throws RangeError when the denominator is not positive
 */
export function mulDiv(value: bigint, numerator: bigint, denominator: bigint, rounding: Rounding): bigint {
  if (denominator <= 0n) throw new RangeError('mulDiv: the denominator must be positive')
  const product = value * numerator
  const negative = product < 0n
  const absolute = negative ? -product : product
  let quotient = absolute / denominator
  const rest = absolute % denominator
  if (rest !== 0n && (rounding === 'up' || (rounding === 'half_up' && rest * 2n >= denominator))) quotient += 1n
  return negative ? -quotient : quotient
}
