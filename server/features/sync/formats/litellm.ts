import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Meter } from '../../../../contract/meters.ts'
import { decimalOf, numberOf, perMillion, PriceFault } from '../decimals.ts'
import type { Feed, FeedPrices, FeedTier } from '../feed.ts'

/** Members in USD per token, by meter. */
const members: readonly (readonly [Meter, string])[] = [
  ['input', 'input_cost_per_token'],
  ['output', 'output_cost_per_token'],
  ['cachedInput', 'cache_read_input_token_cost'],
  ['cacheWrite', 'cache_creation_input_token_cost'],
  ['cacheWrite1h', 'cache_creation_input_token_cost_above_1hr'],
  ['imageInput', 'input_cost_per_image_token'],
  ['imageOutput', 'output_cost_per_image_token'],
  ['audioInput', 'input_cost_per_audio_token'],
  ['audioOutput', 'output_cost_per_audio_token'],
]
/** Other ways to buy the same tokens: batches and service tiers. */
const OTHER_WAYS = /_(batches|batch_requests|flex|priority|fast|us)$/
const STEP = /^(.+)_above_(\d{1,7})k_tokens$/

export function isLiteLlmItem(value: Json | undefined): value is JsonObject {
  return isObject(value) && ('litellm_provider' in value || 'input_cost_per_token' in value || 'output_cost_per_token' in value)
}

/**
 * LiteLLM's `model_prices_and_context_window.json`: USD per token, steps by the whole input.
 * Source: https://docs.litellm.ai/docs/provider_registration/add_model_pricing
 */
export function readLiteLlm(map: JsonObject, feed: Feed): void {
  for (const [name, row] of Object.entries(map)) {
    if (name === 'sample_spec') continue
    if (!isLiteLlmItem(row)) {
      feed.skipped += 1
      continue
    }
    const provider = row['litellm_provider']
    feed.add(name, typeof provider === 'string' && !name.includes('/') && isMaker(provider) ? provider : '', () => pricesOf(row))
  }
}

/** Resellers and clouds are not the maker of what they sell. */
function isMaker(provider: string): boolean {
  return /^(openai|anthropic|deepseek|mistral|xai|moonshot|minimax)$/.test(provider)
}

function pricesOf(row: JsonObject): FeedPrices {
  const prices: FeedPrices['prices'] = {}
  const tiers: Partial<Record<Meter, FeedTier[]>> = {}
  const notes: string[] = []
  const meterOf = new Map(members.map(([meter, member]) => [member, meter]))
  for (const [member, value] of Object.entries(row)) {
    if (!/(^|_)cost(_|$)/.test(member) || value === null) continue
    const meter = meterOf.get(member)
    if (meter) {
      const price = decimalOf(value)
      if (price) prices[meter] = perMillion(price)
      continue
    }
    const step = STEP.exec(member)
    const stepped = step ? meterOf.get(step[1] ?? '') : undefined
    if (step && stepped) {
      const price = decimalOf(value)
      // "Above 200k": the step begins with the next token.
      const minTokens = Number(step[2]) * 1_000 + 1
      if (price) (tiers[stepped] ??= []).push({ minTokens, price: perMillion(price), condition: 'full_input_tokens' })
    } else if (!OTHER_WAYS.test(member) && numberOf(value) !== 0 && !sameAsOutput(member, value, row)) notes.push(`unmapped:${member}`)
  }
  if (Object.keys(prices).length > 0) return { prices, tiers, notes }
  return { ...perImage(row), notes: notes.filter((note) => !note.endsWith('_per_image')) }
}

/** Thoughts are part of the output here. */
function sameAsOutput(member: string, value: Json | undefined, row: JsonObject): boolean {
  return member === 'output_cost_per_reasoning_token' && value === row['output_cost_per_token']
}

/** What is sold by the picture has a price per item; by the second, page or character it has none here. */
function perImage(row: JsonObject): FeedPrices {
  const price = decimalOf(row['output_cost_per_image'] ?? (row['mode'] === 'image_generation' ? row['input_cost_per_image'] : undefined))
  if (!price) throw new PriceFault('unit')
  return { prices: { output: price }, quotaType: 1 }
}
