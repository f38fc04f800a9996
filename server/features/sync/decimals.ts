import type { Json } from '../../../contract/json.ts'
import { money, MONEY_SCALE, MONEY_ONE, type Money } from '../../../contract/money.ts'

/** Why a price of a feed is not one. */
export type PriceProblem = 'not_a_number' | 'negative' | 'too_large' | 'too_small' | 'expression' | 'unit'

/** A price that cannot be taken over; caught where a model's prices are read, so that the others are not lost. */
export class PriceFault extends Error {
  override readonly name = 'PriceFault'
  readonly problem: PriceProblem
  constructor(problem: PriceProblem) {
    super(problem)
    this.problem = problem
  }
}

/** An exact decimal: `digits` / 10^`scale`; the scale may be negative. */
export interface Decimal {
  readonly digits: bigint
  readonly scale: number
}

/** A million dollars for a million tokens: a thousand times what any maker asks; above it a feed is wrong, not dear. */
const MAX_PRICE = 1_000_000n * MONEY_ONE
/** Digits of a number in a feed; what is longer is no price. */
const FORM = /^([+-]?)(\d{1,30})(?:\.(\d{0,40}))?(?:e([+-]?\d{1,3}))?$/i
/** A price per token needs no smaller power of ten than 10^-20, a ratio no larger one than 10^20. */
const MAX_EXPONENT = 40

/** A number or a text of one; NaN for whatever is none. A foreign object may say `toString: null`, which `Number` throws on. */
export function numberOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? Number.NaN : Number(value)
}

/**
 * A number of a feed as it is written: a JSON number by its shortest form, or a numeric text.
 * @returns undefined when there is none (absent, null, "")
 * @throws PriceFault `not_a_number`, `negative` or `too_large`
 */
export function decimalOf(value: Json | undefined): Decimal | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'number' && typeof value !== 'string') throw new PriceFault('not_a_number')
  if (typeof value === 'number' && !Number.isFinite(value)) throw new PriceFault(Number.isNaN(value) ? 'not_a_number' : 'too_large')
  const match = FORM.exec(String(value).trim())
  if (!match) throw new PriceFault('not_a_number')
  const [, sign, whole = '', fraction = '', power = '0'] = match
  const digits = BigInt(whole + fraction)
  if (digits === 0n) return { digits, scale: 0 }
  if (sign === '-') throw new PriceFault('negative')
  const exponent = Number(power)
  if (exponent > MAX_EXPONENT) throw new PriceFault('too_large')
  if (exponent < -MAX_EXPONENT) throw new PriceFault('too_small')
  return { digits, scale: fraction.length - exponent }
}

export function times(a: Decimal, b: Decimal): Decimal {
  return { digits: a.digits * b.digits, scale: a.scale + b.scale }
}

/** A price per token as one per million tokens. */
export function perMillion({ digits, scale }: Decimal): Decimal {
  return { digits, scale: scale - 6 }
}

/**
 * A price of the platform, rounded half up to ten places.
 * @throws PriceFault `too_large`, or `too_small` when nothing would be left of it
 */
export function priceOf({ digits, scale }: Decimal): Money {
  const shift = MONEY_SCALE - scale
  let units: bigint
  if (shift >= 0) units = digits * 10n ** BigInt(shift)
  else {
    const divisor = 10n ** BigInt(-shift)
    units = (digits * 2n + divisor) / (divisor * 2n)
    if (units === 0n && digits > 0n) throw new PriceFault('too_small')
  }
  if (units > MAX_PRICE) throw new PriceFault('too_large')
  return money(units)
}
