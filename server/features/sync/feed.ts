import { MAX_MODEL_NAME } from '../../../contract/api/models.ts'
import { meters, type Meter } from '../../../contract/meters.ts'
import { money, ZERO } from '../../../contract/money.ts'
import type { PriceCard, PriceTier, TierCondition } from '../../../contract/quote.ts'
import { normaliseTiers } from '../../../contract/tiers.ts'
import { PriceFault, priceOf, type Decimal, type PriceProblem } from './decimals.ts'

/** A model as a feed has it. */
export interface FeedItem {
  name: string
  /** Maker as the feed names it; "": by the model's name. */
  provider: string
  card: PriceCard
  /** Its prices cannot be taken over; the card is then empty. */
  problem: PriceProblem | undefined
  /** What of the feed has no place in a card, or was assumed. */
  notes: string[]
}

/** A step of a price list, before its price is checked. */
export interface FeedTier {
  minTokens: number
  price: Decimal
  condition: TierCondition
}

/** Prices of one model, per million tokens; a meter that is not there is unknown. */
export interface FeedPrices {
  prices: Partial<Record<Meter, Decimal | undefined>>
  tiers?: Partial<Record<Meter, FeedTier[]>>
  /** 1: `output` is the price of a call or item. */
  quotaType?: 0 | 1
  notes?: string[]
}

/** No list of any maker or reseller is as long; keeps a preview readable and an apply one short transaction. */
export const MAX_ITEMS = 10_000
/** Steps of one meter (contract/prices.ts has the same bound). */
const MAX_TIERS = 50
/** Notes of one model. */
const MAX_NOTES = 10

/** Models of a feed by name: the first of a name counts, later ones are the same model again. */
export class Feed {
  readonly items = new Map<string, FeedItem>()
  /** Entries that are no model: no name, too long a name, more than fit. */
  skipped = 0

  /**
   * Adds a model. What is wrong with its prices becomes its `problem`.
   * @param replace a later entry that is better than the first
   */
  add(name: string, provider: string, read: () => FeedPrices, replace = false): void {
    const text = name.trim()
    if (text === '' || text.length > MAX_MODEL_NAME || /\p{Cc}/u.test(text)) {
      this.skipped += 1
      return
    }
    if (this.items.has(text) && !replace) return
    if (this.items.size >= MAX_ITEMS && !this.items.has(text)) {
      this.skipped += 1
      return
    }
    this.items.set(text, itemOf(text, provider, read))
  }
}

function itemOf(name: string, provider: string, read: () => FeedPrices): FeedItem {
  try {
    const prices = read()
    const notes = [...(prices.notes ?? [])]
    return { name, provider, card: cardOf(prices, notes), problem: undefined, notes: notes.slice(0, MAX_NOTES) }
  } catch (error) {
    if (!(error instanceof PriceFault)) throw error
    return { name, provider, card: { prices: {}, tiers: {}, quotaType: 0 }, problem: error.problem, notes: [] }
  }
}

/**
 * The card. If only one of input and output is known it is copied, and unknown cached input costs what input costs
 * (contract.md 10.3). A further meter at 0 is one without a price of its own: never a gift (W76).
 */
function cardOf({ prices, tiers = {}, quotaType = 0 }: FeedPrices, notes: string[]): PriceCard {
  const card: PriceCard = { prices: {}, tiers: {}, quotaType }
  if (quotaType === 1) {
    const price = prices.output
    if (price && price.digits > 0n) card.prices.output = priceOf(price)
    return card
  }
  for (const { id } of meters) {
    const price = prices[id]
    const steps = tiers[id]
    if (price && price.digits > 0n) card.prices[id] = priceOf(price)
    if (steps && steps.length > 0) card.tiers[id] = tiersOf(steps)
  }
  if (prices.output === undefined && prices.input !== undefined && !card.tiers.output) {
    copy(card, 'input', 'output')
    if (card.prices.output !== undefined) notes.push('output_assumed')
  }
  if (prices.input === undefined && prices.output !== undefined && !card.tiers.input) {
    copy(card, 'output', 'input')
    if (card.prices.input !== undefined) notes.push('input_assumed')
  }
  if (prices.cachedInput === undefined && !card.tiers.cachedInput) copy(card, 'input', 'cachedInput')
  return card
}

function copy(card: PriceCard, from: Meter, to: Meter): void {
  const price = card.prices[from]
  const steps = card.tiers[from]
  if (price !== undefined) card.prices[to] = price
  if (steps) card.tiers[to] = steps
}

function tiersOf(steps: readonly FeedTier[]): PriceTier[] {
  if (steps.length > MAX_TIERS) throw new PriceFault('unit')
  return normaliseTiers(
    steps.map(({ minTokens, price, condition }) => {
      if (!Number.isSafeInteger(minTokens) || minTokens < 0) throw new PriceFault('not_a_number')
      return { minTokens, price: price.digits === 0n ? money(ZERO) : priceOf(price), condition }
    }),
  )
}
