import { z } from 'zod'
import { parseMoney, type Money } from './money.ts'

/** A number below 1e-6 as JavaScript prints it. */
const TINY = /^(-?)(\d)\.?(\d*)e-(\d+)$/

/** The number a JSON document may carry for a decimal: the same digits without exponent, none rounded away. */
function numberText(value: number): string {
  return String(value).replace(
    TINY,
    (_, sign: string, first: string, rest: string, places: string) => `${sign}0.${'0'.repeat(Number(places) - 1)}${first}${rest}`,
  )
}

/**
 * Wire codec of a decimal (contract.md 1.2): a string or a number comes in, a decimal string goes out.
 * An empty string, an exponent, more than ten decimals or more than 1e8 is refused.
 */
export const decimalInput = z.union([z.string(), z.number()]).transform((value, context): Money => {
  const amount = parseMoney(typeof value === 'number' ? numberText(value) : value)
  if (amount === undefined) {
    context.addIssue({ code: 'custom', message: 'must be a plain decimal with at most 10 decimal places' })
    return z.NEVER
  }
  return amount
})

/** A decimal that must not be negative (prices, multipliers, quotas). */
export const nonNegativeDecimal = decimalInput.refine((amount) => amount >= 0n, { message: 'must not be negative' })

/** What the wire carries outwards for an amount. */
export const decimalOutput = z.string()
