import { formatMoney, mulDiv, MONEY_SCALE, parseMoney, type Rounding } from '../../../contract/money.ts'

/** Short amounts show at most six decimals; what is smaller is said to be smaller, never "0.00". */
const MAX_DECIMALS = 6
const SMALLEST_SHOWN = 10n ** BigInt(MONEY_SCALE - MAX_DECIMALS)

function digits(amount: bigint, decimals: number, language: string): string {
  const scale = 10n ** BigInt(decimals)
  const whole = new Intl.NumberFormat(language).format(amount / scale)
  return decimals === 0 ? whole : `${whole}.${(amount % scale).toString().padStart(decimals, '0')}`
}

function withSymbol(number: string, symbol: string, negative: boolean): string {
  const sign = negative ? '−' : ''
  return /^[\p{L}]{2,}$/u.test(symbol) ? `${sign}${number} ${symbol}` : `${sign}${symbol}${number}`
}

/**
 * An amount for tables and tiles: two to six decimals, at least two significant digits, "<0.000001" for less.
 * @param text the wire's decimal; what is no decimal is shown as it came
 * @param rounding `down` for balances: what is shown is there
 */
export function shortMoney(text: string, symbol: string, language: string, rounding: Rounding = 'half_up'): string {
  const amount = parseMoney(text)
  if (amount === undefined) return text
  const absolute = amount < 0n ? -amount : amount
  if (absolute === 0n) return withSymbol('0.00', symbol, false)
  if (absolute < SMALLEST_SHOWN) return `<${withSymbol('0.000001', symbol, amount < 0n)}`
  let decimals = 2
  while (decimals < MAX_DECIMALS && roundTo(absolute, decimals, rounding) < 10n) decimals += 1
  return withSymbol(digits(roundTo(absolute, decimals, rounding), decimals, language), symbol, amount < 0n)
}

function roundTo(amount: bigint, decimals: number, rounding: Rounding): bigint {
  return mulDiv(amount, 1n, 10n ** BigInt(MONEY_SCALE - decimals), rounding)
}

/**
 * An amount with all its digits, however many: the lines of a receipt are exact beyond the ten decimals of a charge.
 * Only the grouping is added; the digits are those of the wire.
 */
export function exactMoney(text: string, symbol: string, language: string): string {
  const match = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text)
  if (!match) return text
  const grouped = new Intl.NumberFormat(language).format(BigInt(match[2] ?? '0'))
  return withSymbol(`${grouped}.${(match[3] ?? '').replace(/0+$/, '').padEnd(2, '0')}`, symbol, match[1] === '-')
}

/** True when the text is an amount above zero. */
export function isPositive(text: string): boolean {
  return (parseMoney(text) ?? 0n) > 0n
}

/**
 * What a person typed as an amount, as the wire wants it: a comma may stand for the point.
 * @returns plain decimal text, or undefined when it is no amount, negative or too precise
 */
export function amountInput(typed: string): string | undefined {
  const amount = parseMoney(typed.trim().replace(',', '.'))
  return amount === undefined || amount < 0n ? undefined : formatMoney(amount)
}

/** A factor without padding: "1", "0.8". */
export function plainDecimal(text: string): string {
  const amount = parseMoney(text)
  return amount === undefined ? text : formatMoney(amount)
}

/** A count of tokens: all digits below 10,000, then 12.3k and 4.56M, in Chinese 1.23万. */
export function compactCount(count: number, language: string): string {
  if (count < 10_000) return new Intl.NumberFormat(language).format(count)
  return new Intl.NumberFormat(language, { notation: 'compact', maximumSignificantDigits: 3 }).format(count).replace(/K$/, 'k')
}

/** Milliseconds below ten seconds, then seconds. */
export function duration(milliseconds: number, language: string): string {
  const seconds = milliseconds >= 10_000
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: seconds ? 'second' : 'millisecond',
    unitDisplay: 'short',
    maximumFractionDigits: seconds ? 1 : 0,
  }).format(seconds ? milliseconds / 1000 : milliseconds)
}

const MINUTE = 60_000
const STEPS = [
  [MINUTE, 'second', 1000],
  [60 * MINUTE, 'minute', MINUTE],
  [24 * 60 * MINUTE, 'hour', 60 * MINUTE],
  [7 * 24 * 60 * MINUTE, 'day', 24 * 60 * MINUTE],
] as const

/** "3 min. ago" up to a week, then the date. */
export function relativeTime(instant: Date, now: Date, language: string): string {
  const passed = now.getTime() - instant.getTime()
  const step = STEPS.find(([below]) => Math.abs(passed) < below)
  if (!step) return new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(instant)
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' }).format(-Math.trunc(passed / step[2]), step[1])
}

/** Date and time to the second with the zone's name. */
export function absoluteTime(instant: Date, language: string): string {
  return new Intl.DateTimeFormat(language, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  }).format(instant)
}
