import type { Json } from './json.ts'
import { isObject } from './json.ts'
import { EMPTY_USAGE, meters, totalInput, type Meter, type Usage } from './meters.ts'
import { formatMoney, mulDiv, money, MONEY_MAX, MONEY_ONE, parseMoney, ZERO, type Money } from './money.ts'

/**
 * What a call costs: usage x price card x multipliers, in integers, with one division and one rounding.
 * The same function bills, previews in the console and verifies receipts.
 */

export const tierConditions = ['', 'full_input_tokens', 'billable_input_tokens', 'billable_output_tokens', 'full_request_tokens'] as const
export type TierCondition = (typeof tierConditions)[number]

/** From `minTokens` on, `price` per million (contract.md 2.8). */
export interface PriceTier {
  minTokens: number
  price: Money
  condition: TierCondition
}

/** Prices per 1,000,000 tokens; a meter without an entry has no price of its own. */
export interface PriceCard {
  prices: Partial<Record<Meter, Money>>
  tiers: Partial<Record<Meter, PriceTier[]>>
  /** 0: per token. 1: `output` is the price of one call or item. */
  quotaType: number
}

/** Factors of a charge, each scale 10 (1 = 10_000_000_000). */
export interface Multipliers {
  group: Money
  userChannel: Money
}

/** One row of a receipt. `amount` is exact: unit price x tokens x factors at scale 40, written as a decimal string. */
export interface QuoteLine {
  meter: Meter
  tokens: number
  /** Per million tokens, or per call. */
  unitPrice: Money
  /** The tier that set the price, or undefined for the base price. */
  tier: PriceTier | undefined
  /** price x tokens x group x user channel, in units of 1e-10^3 / 1e6: the exact numerator of this line. */
  exact: bigint
}

export interface Quote {
  lines: QuoteLine[]
  /** What is charged, rounded once, half up, to scale 10. */
  total: Money
  /** The same without the multipliers. */
  base: Money
}

/** price(1e-10) x group(1e-10) x channel(1e-10) / 1e6 tokens -> units of 1e-10. */
const TOKENS_PER_PRICE = 1_000_000n
const EXACT_DENOMINATOR = TOKENS_PER_PRICE * MONEY_ONE * MONEY_ONE
const BASE_DENOMINATOR = TOKENS_PER_PRICE

/** More than any provider's context and answer together; a count above it is a fault of the upstream, not a bill. */
export const MAX_TOKENS = 1_000_000_000

export const NO_MULTIPLIERS: Multipliers = { group: money(MONEY_ONE), userChannel: money(MONEY_ONE) }

/** A count as it may be billed: whole, not negative, bounded. */
function billable(tokens: number): number {
  return Number.isFinite(tokens) && tokens > 0 ? Math.min(Math.floor(tokens), MAX_TOKENS) : 0
}

/** True when the meter has a price or tiers of its own; otherwise its tokens are sold as plain input or output (7.3). */
function hasOwnPrice(card: PriceCard, meter: Meter): boolean {
  return (card.prices[meter] ?? 0n) > 0n || (card.tiers[meter]?.length ?? 0) > 0
}

/** True when a call can cost anything by this card; one by which nothing ever costs is unpriced (W43). */
export function isPriced(card: PriceCard): boolean {
  // Per call or item only the output price counts.
  if (card.quotaType === 1) return (card.prices.output ?? 0n) > 0n
  return meters.some(({ id }) => (card.prices[id] ?? 0n) > 0n || (card.tiers[id]?.some(({ price }) => price > 0n) ?? false))
}

/**
 * Tokens per meter as they are sold. Image, audio and cache tokens without a price of their own are sold as plain
 * input or output: an absent cached price means "same as input", never "free" (W76).
 */
function soldAs(usage: Usage, card: PriceCard): Usage {
  const sold: Usage = { ...EMPTY_USAGE }
  for (const { id, side } of meters) {
    const tokens = billable(usage[id])
    if (tokens > 0) sold[id === side || hasOwnPrice(card, id) ? id : side] += tokens
  }
  return sold
}

/** The count a tier's condition looks at. A condition on another count than the meter's own is compared as it is, also when 0 (W75). */
function metric(condition: Exclude<TierCondition, ''>, usage: Usage): number {
  const output = billable(usage.output) + billable(usage.imageOutput) + billable(usage.audioOutput)
  switch (condition) {
    case 'full_input_tokens':
      return totalInput(usage)
    case 'billable_input_tokens':
      return billable(usage.input) + billable(usage.imageInput) + billable(usage.audioInput)
    case 'billable_output_tokens':
      return output
    case 'full_request_tokens':
      return totalInput(usage) + output
  }
}

const NO_TIERS: readonly PriceTier[] = []

interface Segment {
  tokens: number
  unitPrice: Money
  tier: PriceTier | undefined
}

/**
 * Splits one meter's tokens over its tiers (contract.md 7.2). Tiers without a condition are progressive segments. A
 * conditional tier whose count is reached sets one price for all tokens of the meter; with several, the largest
 * threshold wins. When none is reached the unconditional tiers apply as if they stood alone (W75).
 */
function segments(tokens: number, base: Money, tiers: readonly PriceTier[], usage: Usage): Segment[] {
  if (tiers.length === 0) return [{ tokens, unitPrice: base, tier: undefined }]
  let chosen: PriceTier | undefined
  for (const tier of tiers) {
    if (tier.condition === '' || metric(tier.condition, usage) < tier.minTokens) continue
    if (!chosen || tier.minTokens >= chosen.minTokens) chosen = tier
  }
  if (chosen) return [{ tokens, unitPrice: chosen.price, tier: chosen }]
  const steps = tiers.filter((tier) => tier.condition === '' && tier.minTokens < tokens).sort((a, b) => a.minTokens - b.minTokens)
  const parts: Segment[] = []
  let from = 0
  let current: Segment = { tokens: 0, unitPrice: base, tier: undefined }
  for (const tier of steps) {
    current.tokens = tier.minTokens - from
    if (current.tokens > 0) parts.push(current)
    from = tier.minTokens
    current = { tokens: 0, unitPrice: tier.price, tier }
  }
  // Each step begins below `tokens`: something is left for the last.
  current.tokens = tokens - from
  parts.push(current)
  return parts
}

/** Prices one call. Never negative: negative prices and counts do not exist here. */
export function quote(usage: Usage, card: PriceCard, multipliers: Multipliers, items = 1): Quote {
  const factor = multipliers.group * multipliers.userChannel
  if (card.quotaType === 1) return perItem(card, items, factor)
  const sold = soldAs(usage, card)
  const lines: QuoteLine[] = []
  let exact = 0n
  let base = 0n
  for (const { id } of meters) {
    const tokens = sold[id]
    if (tokens === 0) continue
    for (const part of segments(tokens, card.prices[id] ?? ZERO, card.tiers[id] ?? NO_TIERS, usage)) {
      const amount = part.unitPrice * BigInt(part.tokens)
      base += amount
      exact += amount * factor
      lines.push({ meter: id, ...part, exact: amount * factor })
    }
  }
  return { lines, total: charged(exact), base: bounded(mulDiv(base, 1n, BASE_DENOMINATOR, 'half_up')) }
}

/** The one rounding. */
function charged(exact: bigint): Money {
  return bounded(mulDiv(exact, 1n, EXACT_DENOMINATOR, 'half_up'))
}

/** No single call costs more than any amount may be: an absurd price or count cannot overflow the books. */
function bounded(amount: bigint): Money {
  return money(amount > MONEY_MAX ? MONEY_MAX : amount)
}

/** Quota type 1: the output price is the price of a call or of an item (contract.md 7.4 LATER). */
function perItem(card: PriceCard, items: number, factor: bigint): Quote {
  const unitPrice = card.prices.output ?? ZERO
  const count = billable(items)
  const base = unitPrice * BigInt(count)
  const exact = base * TOKENS_PER_PRICE * factor
  const lines: QuoteLine[] = count === 0 ? [] : [{ meter: 'output', tokens: count, unitPrice, tier: undefined, exact }]
  return { lines, total: charged(exact), base: bounded(base) }
}

/** Decimal places of an exact line: 10 of the price, 10 of each factor, 6 of the million. */
export const EXACT_SCALE = 36

/** An exact line as a decimal string, all digits. */
export function formatExact(exact: bigint): string {
  const digits = exact.toString().padStart(EXACT_SCALE + 1, '0')
  const fraction = digits.slice(-EXACT_SCALE).replace(/0+$/, '')
  return `${digits.slice(0, -EXACT_SCALE)}${fraction === '' ? '' : `.${fraction}`}`
}

/** A card as compact JSON: only what is not zero, decimals as strings. What a log row keeps as its price snapshot. */
export function encodeCard(card: PriceCard): string {
  const prices: Record<string, string> = {}
  const tiers: Record<string, Json> = {}
  for (const { id } of meters) {
    const price = card.prices[id]
    if (price !== undefined && price !== 0n) prices[id] = formatMoney(price)
    const list = card.tiers[id]
    if (list && list.length > 0) tiers[id] = list.map((tier) => [tier.minTokens, formatMoney(tier.price), tier.condition])
  }
  return JSON.stringify({ prices, tiers, quota_type: card.quotaType })
}

/**
 * Reads what `encodeCard` wrote.
 * @throws TypeError when the text is anything else: a price must never be guessed
 */
export function decodeCard(text: string): PriceCard {
  const raw: unknown = JSON.parse(text)
  if (!isObject(raw) || !isObject(raw['prices']) || !isObject(raw['tiers'])) throw new TypeError('not a price card')
  const card: PriceCard = { prices: {}, tiers: {}, quotaType: raw['quota_type'] === 1 ? 1 : 0 }
  for (const { id } of meters) {
    const price = raw['prices'][id]
    if (price !== undefined) card.prices[id] = readAmount(price)
    const list = raw['tiers'][id]
    if (Array.isArray(list)) card.tiers[id] = list.map(readTier)
  }
  return card
}

function readAmount(value: Json | undefined): Money {
  const amount = typeof value === 'string' ? parseMoney(value) : undefined
  if (amount === undefined || amount < 0n) throw new TypeError('not a price')
  return amount
}

function readTier(value: Json): PriceTier {
  if (!Array.isArray(value)) throw new TypeError('not a price tier')
  const [minTokens, price, condition] = value
  const known = tierConditions.find((name) => name === condition)
  if (typeof minTokens !== 'number' || !Number.isSafeInteger(minTokens) || minTokens < 0 || known === undefined)
    throw new TypeError('not a price tier')
  return { minTokens, price: readAmount(price), condition: known }
}
