import { CACHE_ALIAS, type PricingPrice, type PricingWire } from '../../../contract/api/catalog.ts'
import { meters } from '../../../contract/meters.ts'
import { formatMoney, money, mulDiv, MONEY_ONE, ZERO, type Money } from '../../../contract/money.ts'
import { cardWire, type TierWire } from '../../../contract/prices.ts'
import { offersOf } from './offers.ts'
import type { CatalogModel, CatalogUserChannel, Snapshot } from './snapshot.ts'

type Maps = { [N in PricingPrice]: Record<string, string> } & { [N in PricingPrice as `${N}_tiers`]: Record<string, TierWire[] | null> }
type Ratios = Record<'model_ratio' | 'completion_ratio', Record<string, string>>
type Data = PricingWire['data']

/** A ratio of 1 is 2 USD per million tokens in the software that reads this (W16). */
const RATIO_DIVISOR = 2n

/**
 * What `GET /api/pricing` answers: over all user channels, or over one. All prices of a model scale alike, so the lowest
 * multiplier gives every minimum at once.
 */
export function pricingOf(snapshot: Snapshot, userChannelId: number | undefined): PricingWire {
  const lowest = { ...emptyRatios(), ...emptyMaps() }
  const base = emptyMaps()
  const quotaType: Record<string, number> = record()
  const byChannel: Data['user_channel_prices'] = record()
  for (const { model, userChannels } of offersOf(snapshot)) {
    const asked = userChannelId === undefined ? userChannels : userChannels.filter(({ id }) => id === userChannelId)
    let best: CatalogUserChannel | undefined
    for (const channel of asked) {
      const { id, name, description, multiplier } = channel
      const own = (byChannel[name] ??= { id, name, description, multiplier: formatMoney(multiplier), ...emptyRatios(), ...emptyMaps() })
      add(own, model, multiplier)
      addRatios(own, model, multiplier)
      if (!best || multiplier < best.multiplier) best = channel
    }
    if (!best) continue
    quotaType[model.name] = model.card.quotaType
    add(lowest, model, best.multiplier)
    addRatios(lowest, model, best.multiplier)
    add(base, model, money(MONEY_ONE))
  }
  return {
    success: true,
    message: '',
    data: { unit: 'per_1m_tokens', quota_type: quotaType, ...lowest, ...basePrefixed(base), user_channel_prices: byChannel },
  }
}

/** A map by names that come from outside: without a prototype, `__proto__` is a name like any other. */
function record<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>
}

const priceNames: readonly PricingPrice[] = [...meters.map(({ price }) => price), CACHE_ALIAS]

function emptyRatios(): Ratios {
  return { model_ratio: record(), completion_ratio: record() }
}

function emptyMaps(): Maps {
  const maps: Record<string, Record<string, unknown>> = {}
  for (const name of priceNames) {
    maps[name] = record()
    maps[`${name}_tiers`] = record()
  }
  return maps as Maps
}

function add(maps: Maps, model: CatalogModel, multiplier: Money): void {
  const card = cardWire(model.card, multiplier)
  for (const { price, tiers } of meters) {
    maps[price][model.name] = card[price]
    maps[tiers][model.name] = card[tiers]
  }
  maps[CACHE_ALIAS][model.name] = card.cached_input_price
  maps[`${CACHE_ALIAS}_tiers`][model.name] = card.cached_input_price_tiers
}

/** Ratios of the effective prices; without an input price the completion ratio is the output price itself (contract.md 3.1). */
function addRatios(maps: Ratios, { name, card }: CatalogModel, multiplier: Money): void {
  const scaled = (price: Money | undefined): Money => money(mulDiv(price ?? ZERO, multiplier, MONEY_ONE, 'half_up'))
  const input = scaled(card.prices.input)
  const output = scaled(card.prices.output)
  maps.model_ratio[name] = formatMoney(money(mulDiv(input, 1n, RATIO_DIVISOR, 'half_up')))
  let completion = output
  if (input > 0n) completion = money(mulDiv(output, MONEY_ONE, input, 'half_up'))
  else if (output === 0n) completion = money(MONEY_ONE)
  maps.completion_ratio[name] = formatMoney(completion)
}

type BaseMaps = { [N in PricingPrice as `base_${N}`]: Record<string, string> } & {
  [N in PricingPrice as `base_${N}_tiers`]: Record<string, TierWire[] | null>
}

function basePrefixed(maps: Maps): BaseMaps {
  return Object.fromEntries(Object.entries(maps).map(([name, map]) => [`base_${name}`, map])) as BaseMaps
}
