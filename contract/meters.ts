/**
 * The nine meters: one table from which the fields of a usage, of a price card, of a log row and of the
 * console's price table are named (contract.md 2.7, 2.11).
 */
export const meters = [
  { id: 'input', side: 'input', tokens: 'input_tokens', price: 'input_price', tiers: 'input_price_tiers' },
  { id: 'output', side: 'output', tokens: 'output_tokens', price: 'output_price', tiers: 'output_price_tiers' },
  { id: 'cachedInput', side: 'input', tokens: 'cached_input_tokens', price: 'cached_input_price', tiers: 'cached_input_price_tiers' },
  {
    id: 'cacheWrite',
    side: 'input',
    tokens: 'cache_write_input_tokens',
    price: 'cache_write_input_price',
    tiers: 'cache_write_input_price_tiers',
  },
  {
    id: 'cacheWrite1h',
    side: 'input',
    tokens: 'cache_write_1h_input_tokens',
    price: 'cache_write_1h_input_price',
    tiers: 'cache_write_1h_input_price_tiers',
  },
  { id: 'imageInput', side: 'input', tokens: 'image_input_tokens', price: 'image_input_price', tiers: 'image_input_price_tiers' },
  { id: 'imageOutput', side: 'output', tokens: 'image_output_tokens', price: 'image_output_price', tiers: 'image_output_price_tiers' },
  { id: 'audioInput', side: 'input', tokens: 'audio_input_tokens', price: 'audio_input_price', tiers: 'audio_input_price_tiers' },
  { id: 'audioOutput', side: 'output', tokens: 'audio_output_tokens', price: 'audio_output_price', tiers: 'audio_output_price_tiers' },
] as const

export type MeterRow = (typeof meters)[number]
export type Meter = MeterRow['id']
export type PriceField = MeterRow['price']
export type TiersField = MeterRow['tiers']

/**
 * Tokens of one call, disjoint: no token is counted in two meters. `input` and `output` hold what no other
 * meter of their side took. All are non-negative integers.
 */
export type Usage = Record<Meter, number>

/** Tokens of reasoning inside `output`, where a provider tells; shown, never charged apart. */
export interface UsageDetails {
  reasoning?: number
}

export const EMPTY_USAGE: Usage = {
  input: 0,
  output: 0,
  cachedInput: 0,
  cacheWrite: 0,
  cacheWrite1h: 0,
  imageInput: 0,
  imageOutput: 0,
  audioInput: 0,
  audioOutput: 0,
}

/** All tokens that went in, cache reads and writes included (`input_tokens` of a log row). */
export function totalInput(usage: Usage): number {
  return usage.input + usage.cachedInput + usage.cacheWrite + usage.cacheWrite1h + usage.imageInput + usage.audioInput
}

/** All tokens that came out (`output_tokens` of a log row). */
export function totalOutput(usage: Usage): number {
  return usage.output + usage.imageOutput + usage.audioOutput
}
