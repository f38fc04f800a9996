import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Meter } from '../../../../contract/meters.ts'
import { inferProvider, providerOf } from '../../../../contract/providers.ts'
import { decimalOf, numberOf, PriceFault } from '../decimals.ts'
import type { Feed, FeedPrices, FeedTier } from '../feed.ts'

/** Members of `cost`, in USD per million tokens. */
const members: readonly (readonly [Meter, string])[] = [
  ['input', 'input'],
  ['output', 'output'],
  ['cachedInput', 'cache_read'],
  ['cacheWrite', 'cache_write'],
  ['audioInput', 'input_audio'],
  ['audioOutput', 'output_audio'],
]
const STEP = /^context_over_(\d{1,7})k$/

export function isModelsDevProvider(value: Json | undefined): value is JsonObject {
  return isObject(value) && isObject(value['models']) && ('npm' in value || 'env' in value || 'doc' in value)
}

/**
 * `https://models.dev/api.json`: providers with their models. Many sell the same model; its maker's price is the one taken.
 * Source: https://github.com/sst/models.dev
 */
export function readModelsDev(map: JsonObject, feed: Feed): void {
  for (const [providerId, provider] of Object.entries(map)) {
    if (!isModelsDevProvider(provider) || !isObject(provider['models'])) {
      feed.skipped += 1
      continue
    }
    for (const [key, model] of Object.entries(provider['models'])) {
      if (!isObject(model)) {
        feed.skipped += 1
        continue
      }
      const name = typeof model['id'] === 'string' ? model['id'] : key
      const maker = inferProvider(name).id
      const own = maker !== 'custom' && maker === providerOf(providerId, name).id
      feed.add(name, '', () => pricesOf(model['cost']), own)
    }
  }
}

function pricesOf(cost: Json | undefined): FeedPrices {
  if (!isObject(cost)) throw new PriceFault('unit')
  const prices: FeedPrices['prices'] = {}
  const tiers: Partial<Record<Meter, FeedTier[]>> = {}
  const notes: string[] = []
  for (const [meter, member] of members) {
    const price = decimalOf(cost[member])
    if (price) prices[meter] = price
  }
  for (const [member, step] of Object.entries(cost)) {
    const match = STEP.exec(member)
    if (!match || !isObject(step)) continue
    const minTokens = Number(match[1]) * 1_000 + 1
    for (const [meter, name] of members) {
      const price = decimalOf(step[name])
      if (price) (tiers[meter] ??= []).push({ minTokens, price, condition: 'full_input_tokens' })
    }
  }
  if (cost['reasoning'] !== undefined && numberOf(cost['reasoning']) !== numberOf(cost['output'])) notes.push('unmapped:reasoning')
  return { prices, tiers, notes }
}
