import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import { decimalOf, PriceFault, times, type Decimal } from '../decimals.ts'
import type { Feed, FeedPrices } from '../feed.ts'
import { LONG_WRITE, readExpression } from './expression.ts'

/** Model ratio 1 is 0.002 USD per 1,000 tokens, in one-api and in new-api: 2 USD per million (W97). */
const RATIO_ONE: Decimal = { digits: 2n, scale: 0 }

/** Ratios of one model; each but `model` is a factor of the input price. */
export interface Ratios {
  model: Json | undefined
  completion?: Json | undefined
  cache?: Json | undefined
  createCache?: Json | undefined
  image?: Json | undefined
  audio?: Json | undefined
  audioCompletion?: Json | undefined
}

/** Prices from ratios: output = input x completion ratio, cached = input x cache ratio, and so on. */
export function pricesOfRatios(name: string, ratios: Ratios): FeedPrices {
  const model = decimalOf(ratios.model)
  if (!model) throw new PriceFault('not_a_number')
  const input = times(model, RATIO_ONE)
  const by = (ratio: Json | undefined, of: Decimal = input): Decimal | undefined => {
    const factor = decimalOf(ratio)
    return factor && times(of, factor)
  }
  const cacheWrite = by(ratios.createCache)
  const audioInput = by(ratios.audio)
  const audioCompletion = decimalOf(ratios.audioCompletion)
  const prices: FeedPrices['prices'] = { input, cacheWrite, audioInput, imageInput: by(ratios.image) }
  const output = by(ratios.completion)
  if (output) prices.output = output
  const cachedInput = by(ratios.cache)
  if (cachedInput) prices.cachedInput = cachedInput
  // There a 1-hour write of a Claude model is a fixed multiple of the short one.
  if (cacheWrite && /claude/i.test(name)) prices.cacheWrite1h = times(cacheWrite, LONG_WRITE)
  if (audioCompletion) prices.audioOutput = times(audioInput ?? input, audioCompletion)
  return { prices: Object.fromEntries(Object.entries(prices).filter(([, price]) => price !== undefined)) }
}

/** An entry of new-api's `GET /api/pricing`. */
export function isNewApiItem(value: Json | undefined): value is JsonObject {
  return isObject(value) && 'model_name' in value && ('quota_type' in value || 'model_ratio' in value || 'billing_expr' in value)
}

/**
 * new-api's public price list: per token by ratios, per call by `model_price` (`quota_type` 1), or by an expression.
 * Source: https://github.com/QuantumNous/new-api (controller/pricing.go, model/pricing.go).
 */
export function readNewApi(rows: readonly Json[], feed: Feed): void {
  for (const row of rows) {
    if (!isNewApiItem(row) || typeof row['model_name'] !== 'string') {
      feed.skipped += 1
      continue
    }
    const name = row['model_name']
    feed.add(name, '', () => pricesOf(name, row))
  }
}

function pricesOf(name: string, row: JsonObject): FeedPrices {
  const expression = row['billing_expr']
  if (typeof expression === 'string' && expression.trim() !== '' && row['billing_mode'] !== 'ratio') return readExpression(expression)
  if (row['quota_type'] === 1) {
    const price = decimalOf(row['model_price'])
    if (!price) throw new PriceFault('not_a_number')
    return { prices: { output: price }, quotaType: 1 }
  }
  if (row['quota_type'] !== undefined && row['quota_type'] !== 0) throw new PriceFault('unit')
  return pricesOfRatios(name, {
    model: row['model_ratio'],
    completion: row['completion_ratio'] ?? 1,
    cache: row['cache_ratio'],
    createCache: row['create_cache_ratio'],
    image: row['image_ratio'],
    audio: row['audio_ratio'],
    audioCompletion: row['audio_completion_ratio'],
  })
}
