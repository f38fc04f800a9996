import type { ConditionalPrice, ModelPrice, TieredPrices } from '@pydantic/genai-prices'
import type { Suggestion } from '../../../contract/api/price-catalog.ts'
import type { Meter } from '../../../contract/meters.ts'
import { money } from '../../../contract/money.ts'
import { cardWire } from '../../../contract/prices.ts'
import { inferProvider } from '../../../contract/providers.ts'
import type { PriceCard } from '../../../contract/quote.ts'
import { decimalOf, PriceFault, priceOf } from './decimals.ts'
import { words } from '../../../contract/words.ts'

/**
 * The price catalog that comes with the server: list prices of known models, from the package @pydantic/genai-prices.
 * Loaded when it is first asked for: 0.8 MB of data that no call of the gateway needs.
 */

/** Prices per million tokens there, by our meters: the first that is stated counts, as in the package's own fallbacks. */
const members: readonly (readonly [Meter, readonly string[]])[] = [
  ['input', ['input_mtok']],
  ['output', ['output_mtok']],
  ['cachedInput', ['cache_read_mtok']],
  ['cacheWrite', ['cache_write_5m_mtok', 'cache_write_mtok']],
  ['cacheWrite1h', ['cache_write_1h_mtok', 'cache_write_mtok']],
  ['imageInput', ['input_image_mtok']],
  ['imageOutput', ['output_image_mtok']],
  ['audioInput', ['input_audio_mtok']],
  ['audioOutput', ['output_audio_mtok']],
]
const mapped = new Set(members.flatMap(([, names]) => names))

/** Makers' names here and there. */
const providerIds = words<string>({
  moonshot: 'moonshotai',
  xai: 'x-ai',
  amazon: 'aws',
  zhipu: 'zai',
})

/** List price of a model on a day. */
export async function suggest(modelName: string, now: number): Promise<Suggestion> {
  const { calcPrice } = await import('@pydantic/genai-prices')
  const timestamp = new Date(now)
  for (const { name, providerId } of readings(modelName)) {
    const found = calcPrice({}, name, { timestamp, ...(providerId === undefined ? {} : { providerId }) })
    if (!found) continue
    const { model, provider } = found
    const notes: string[] = []
    const prices = Array.isArray(model.prices) ? pricesOn(model.prices, found.model_price, notes) : model.prices
    const card = cardOf(prices, notes)
    if (!card) continue
    return {
      model_name: modelName,
      match: model.id === modelName ? 'exact' : 'alias',
      catalog_provider: provider.id,
      catalog_model: model.id,
      ...cardWire(card),
      quota_type: 0,
      notes,
    }
  }
  const nothing = cardWire({ prices: {}, tiers: {}, quotaType: 0 })
  return { model_name: modelName, match: null, catalog_provider: '', catalog_model: '', ...nothing, quota_type: 0, notes: [] }
}

/** Ways to read a name, best first: of its maker, of the maker before its slash, of anybody. */
function readings(modelName: string): { name: string; providerId?: string }[] {
  const maker = inferProvider(modelName).id
  const slash = modelName.indexOf('/')
  const bare = modelName.slice(slash + 1)
  const own = maker === 'custom' ? [] : [providerIds[maker] ?? maker]
  const prefixed = slash > 0 ? [modelName.slice(0, slash)] : []
  return [
    ...own.flatMap((providerId) => [modelName, bare].map((name) => ({ name, providerId }))),
    ...prefixed.flatMap((providerId) => [modelName, bare].map((name) => ({ name, providerId }))),
    { name: bare },
    // OpenRouter's list has what nobody else lists.
    { name: modelName, providerId: 'openrouter' },
  ]
}

/** Where a price depends on the hour the dearest is taken: a card has no hours, and nobody wants to sell below cost. */
function pricesOn(all: readonly ConditionalPrice[], today: ModelPrice, notes: string[]): ModelPrice {
  if (!all.some(({ constraint }) => constraint?.type === 'time_of_date')) return today
  notes.push('varies_by_hour')
  const candidates = all.flatMap(({ constraint, prices }) => (constraint?.type === 'start_date' ? [] : [prices]))
  return candidates.reduce((dearest, prices) => (baseOf(prices['input_mtok']) > baseOf(dearest['input_mtok']) ? prices : dearest), today)
}

function baseOf(price: number | TieredPrices | undefined): number {
  return price === undefined ? 0 : typeof price === 'number' ? price : price.base
}

/** The card of a price list there; undefined when it has no price of tokens. */
function cardOf(prices: ModelPrice, notes: string[]): PriceCard | undefined {
  const card: PriceCard = { prices: {}, tiers: {}, quotaType: 0 }
  try {
    for (const [meter, names] of members) {
      const price = names.map((name) => prices[name]).find((value) => value !== undefined)
      if (price !== undefined) set(card, meter, price)
    }
  } catch (error) {
    if (error instanceof PriceFault) return undefined
    throw error
  }
  for (const [name, price] of Object.entries(prices)) if (!mapped.has(name) && price !== undefined) notes.push(`unmapped:${name}`)
  return Object.keys(card.prices).length === 0 ? undefined : card
}

function set(card: PriceCard, meter: Meter, price: number | TieredPrices): void {
  const base = moneyOf(baseOf(price))
  if (base > 0n) card.prices[meter] = base
  if (typeof price !== 'number') {
    // One price for all tokens as soon as the whole input is larger than the start.
    card.tiers[meter] = price.tiers.map((tier) => ({
      minTokens: tier.start + 1,
      price: moneyOf(tier.price),
      condition: 'full_input_tokens',
    }))
    // Free up to there: else those tokens would be sold as plain ones.
  } else if (base === 0n && meter !== 'input' && meter !== 'output') card.tiers[meter] = [{ minTokens: 0, price: base, condition: '' }]
}

function moneyOf(price: number): ReturnType<typeof priceOf> {
  const decimal = decimalOf(price)
  return decimal === undefined ? money(0n) : priceOf(decimal)
}
