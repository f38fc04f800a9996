import { z } from 'zod'
import { decimalInput, decimalOutput, nonNegativeDecimal } from './decimal.ts'
import { meters, type Meter, type PriceField, type TiersField } from './meters.ts'
import { formatMoney, mulDiv, money, MONEY_ONE, ZERO, type Money } from './money.ts'
import type { PriceCard, PriceTier } from './quote.ts'
import { normaliseTiers, tierConditionOf } from './tiers.ts'

/** A price card on the wire: nine prices and nine tier lists (contract.md 2.7, 2.8). */

const tierWire = z.strictObject({ min_tokens: z.int(), price: decimalOutput, condition: z.string().optional() })
export type TierWire = z.input<typeof tierWire>

/** More steps than any price list has; bounds what each quote walks through. */
const MAX_TIERS = 50

const tierInput = z
  .object({
    min_tokens: z.int(),
    price: decimalInput,
    condition: z.string().max(50).nullish(),
  })
  .transform(({ min_tokens: minTokens, price, condition }): PriceTier => ({
    minTokens,
    price,
    condition: tierConditionOf(condition ?? ''),
  }))

function shapeOf<F extends string, T>(fields: readonly F[], value: T): Record<F, T> {
  return Object.fromEntries(fields.map((field) => [field, value])) as Record<F, T>
}

const priceFields: readonly PriceField[] = meters.map(({ price }) => price)
const tierFields: readonly TiersField[] = meters.map(({ tiers }) => tiers)

/** Members of an object that carries a price card outwards. A price of "0" is one not set apart: those tokens are sold as plain input or output (W76). */
export const cardOutput = {
  ...shapeOf(priceFields, decimalOutput),
  ...shapeOf(tierFields, z.array(tierWire).nullable()),
}

/** The same members inwards; absent and null mean 0 and no tiers, negative prices are refused (W45). */
export const cardInput = {
  ...shapeOf(priceFields, nonNegativeDecimal.nullish()),
  ...shapeOf(tierFields, z.array(tierInput).max(MAX_TIERS).nullish()),
}

export type CardWire = Record<PriceField, string> & Record<TiersField, TierWire[] | null>
export type CardBody = { [F in PriceField]?: Money | null | undefined } & { [F in TiersField]?: PriceTier[] | null | undefined }

/** The card a validated body describes. */
export function cardOf(body: CardBody, quotaType: number): PriceCard {
  const prices: Partial<Record<Meter, Money>> = {}
  const tiers: Partial<Record<Meter, PriceTier[]>> = {}
  for (const meter of meters) {
    const price = body[meter.price]
    if (price !== undefined && price !== null && price !== 0n) prices[meter.id] = price
    const list = normaliseTiers(body[meter.tiers] ?? [])
    if (list.length > 0) tiers[meter.id] = list
  }
  return { prices, tiers, quotaType }
}

/** A card as the wire has it; `factor` (scale 10) scales every price, rounded half up to ten places. */
export function cardWire(card: PriceCard, factor: Money = money(MONEY_ONE)): CardWire {
  const wire: Partial<CardWire> = {}
  for (const meter of meters) {
    wire[meter.price] = formatMoney(scale(card.prices[meter.id] ?? ZERO, factor))
    wire[meter.tiers] = tiersWire(card.tiers[meter.id], factor)
  }
  return wire as CardWire
}

/** An empty list is null (contract.md 2.8); `condition` is left out when empty. */
function tiersWire(tiers: readonly PriceTier[] | undefined, factor: Money): TierWire[] | null {
  if (!tiers || tiers.length === 0) return null
  return tiers.map(({ minTokens, price, condition }) => {
    const amount = formatMoney(scale(price, factor))
    return condition === '' ? { min_tokens: minTokens, price: amount } : { min_tokens: minTokens, price: amount, condition }
  })
}

function scale(price: Money, factor: Money): Money {
  return factor === MONEY_ONE ? price : money(mulDiv(price, factor, MONEY_ONE, 'half_up'))
}
