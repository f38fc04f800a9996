import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import { decimalOf, numberOf, perMillion } from '../decimals.ts'
import type { Feed, FeedPrices } from '../feed.ts'

/** Members that a price card has a meter for; the others are prices of searches, requests and the like. */
const members = {
  input: 'prompt',
  output: 'completion',
  cachedInput: 'input_cache_read',
  cacheWrite: 'input_cache_write',
  cacheWrite1h: 'input_cache_write_1h',
  imageInput: 'image_token',
  imageOutput: 'image_output',
  audioInput: 'audio',
  audioOutput: 'audio_output',
} as const
const known: ReadonlySet<string> = new Set(Object.values(members))

export function isOpenRouterItem(value: Json | undefined): value is JsonObject {
  return (
    isObject(value) &&
    typeof value['id'] === 'string' &&
    isObject(value['pricing']) &&
    ('prompt' in value['pricing'] || 'completion' in value['pricing'])
  )
}

/**
 * OpenRouter's list: USD per token as decimal strings; "-1" where the price depends on the model it picks.
 * Source: https://openrouter.ai/docs/api-reference/list-available-models
 */
export function readOpenRouter(rows: readonly Json[], feed: Feed): void {
  for (const row of rows) {
    if (!isOpenRouterItem(row) || typeof row['id'] !== 'string' || !isObject(row['pricing'])) {
      feed.skipped += 1
      continue
    }
    const { pricing } = row
    feed.add(row['id'], '', () => pricesOf(pricing))
  }
}

function pricesOf(pricing: JsonObject): FeedPrices {
  const prices: FeedPrices['prices'] = {}
  for (const [meter, member] of Object.entries(members)) {
    const price = decimalOf(pricing[member])
    if (price) prices[meter as keyof typeof members] = perMillion(price)
  }
  const notes: string[] = []
  for (const [name, value] of Object.entries(pricing)) {
    if (known.has(name) || (typeof value !== 'string' && typeof value !== 'number')) continue
    // Thoughts are part of the output here, and cost what it costs.
    if (name === 'internal_reasoning' && value === pricing['completion']) continue
    if (numberOf(value) !== 0) notes.push(`unmapped:${name}`)
  }
  return { prices, notes }
}
