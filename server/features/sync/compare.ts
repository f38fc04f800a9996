import type { PriceChange } from '../../../contract/api/sync.ts'
import { meters, type Meter } from '../../../contract/meters.ts'
import { MONEY_ONE, ZERO, type Money } from '../../../contract/money.ts'
import { encodeCard, isPriced, type PriceCard } from '../../../contract/quote.ts'

/** A new model dearer than this, per million tokens or per call, is looked at before it is believed: ten times the dearest there is. */
const UNHEARD_OF = { 0: 10_000n * MONEY_ONE, 1: 1_000n * MONEY_ONE } as const

/** What must not happen unasked. */
const UNUSUAL: ReadonlySet<PriceChange> = new Set(['jump', 'zero', 'free', 'unit'])

export function needsConfirmation(change: PriceChange): boolean {
  return UNUSUAL.has(change)
}

/** A card in force, and whether it is of a model that is given away on purpose. */
export interface InForce {
  card: PriceCard
  free: boolean
}

/**
 * How a new card relates to the one in force, by what a token of each meter costs under each of their steps.
 * @param maxJump factor, scale 10, up to which a price may change unasked
 */
export function compare(before: InForce | undefined, after: PriceCard, maxJump: Money): PriceChange {
  if (!before || (!isPriced(before.card) && !before.free)) return firstPrice(before, after)
  if (encodeCard(before.card) === encodeCard(after)) return 'same'
  if (before.free) return isPriced(after) ? 'free' : 'same'
  if (!isPriced(after)) return 'zero'
  if (before.card.quotaType !== after.quotaType) return 'unit'
  let change: 'same' | 'lower' | 'higher' | 'jump' = 'same'
  for (const { id } of meters) {
    for (const tokens of stepsOf(before.card, after, id)) {
      const [was, is] = [priceAt(before.card, id, tokens), priceAt(after, id, tokens)]
      if (was === is) continue
      if (is === 0n) return 'zero'
      // What cost nothing and now costs something is no step of any factor.
      if (was === 0n || is * MONEY_ONE > was * maxJump || is * maxJump < was * MONEY_ONE) change = 'jump'
      else if (change === 'same' || change === 'lower') change = is > was ? 'higher' : 'lower'
    }
  }
  // Another way to write the same prices.
  return change
}

function firstPrice(before: InForce | undefined, after: PriceCard): PriceChange {
  if (!isPriced(after)) return before ? 'same' : 'new'
  const input = priceAt(after, 'input', 0)
  // Text that costs nothing to read is no list price: every maker has one.
  if (after.quotaType === 0 && input === 0n && !after.tiers.input) return 'zero'
  const limit = after.quotaType === 1 ? UNHEARD_OF[1] : UNHEARD_OF[0]
  const dearest = meters.some(({ id }) => stepsOf(after, after, id).some((tokens) => priceAt(after, id, tokens) > limit))
  if (dearest) return 'jump'
  return before ? 'first_price' : 'new'
}

/** Counts at which one of two cards begins another price. */
function stepsOf(a: PriceCard, b: PriceCard, meter: Meter): number[] {
  const starts = [a, b].flatMap(({ tiers }) => [...(tiers[meter] ?? []), ...(tiers[sideOf(meter)] ?? [])].map(({ minTokens }) => minTokens))
  return [...new Set([0, ...starts])]
}

function sideOf(meter: Meter): Meter {
  return meters.find(({ id }) => id === meter)?.side ?? 'input'
}

/** What the token after `tokens` others costs; a meter without a price of its own costs what its side does (W76). */
function priceAt(card: PriceCard, meter: Meter, tokens: number): Money {
  const own = (card.prices[meter] ?? 0n) > 0n || (card.tiers[meter]?.length ?? 0) > 0
  const at = own ? meter : sideOf(meter)
  let price = card.prices[at] ?? ZERO
  let from = -1
  for (const tier of card.tiers[at] ?? []) {
    if (tier.minTokens > tokens || tier.minTokens < from) continue
    price = tier.price
    from = tier.minTokens
  }
  return price
}
