import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import { meters, type Meter } from '../../../../contract/meters.ts'
import { tierConditionOf } from '../../../../contract/tiers.ts'
import { decimalOf, numberOf, PriceFault, times, type Decimal } from '../decimals.ts'
import type { Feed, FeedPrices, FeedTier } from '../feed.ts'
import { pricesOfRatios } from './new-api.ts'
import { readExpression } from './expression.ts'

/** The generic parser of contract.md 10.3: maps by model name, or lists of models. Names are compared in small letters without `_` and `-`. */

const plain = (name: string): string => name.toLowerCase().replace(/[_-]/g, '')

/** Other names of the prices that clients' software uses, in plain form; the meters' own names are added. */
const synonyms: Partial<Record<Meter, readonly string[]>> = {
  input: ['inputprices', 'promptprice', 'promptprices'],
  output: ['outputprices', 'completionprice', 'completionprices'],
  cachedInput: [
    'cachedinputprices',
    'cachedprice',
    'cachedprices',
    'cacheprice',
    'cacheprices',
    'cachereadprice',
    'cachereadprices',
    'cachereadinputprice',
    'promptcacheprice',
    'promptcacheprices',
  ],
  cacheWrite: ['cachewriteprice', 'cachewriteprices', 'cachewriteinputprices', 'cachecreationprice'],
}
const priceNames = new Map<string, Meter>(
  meters.flatMap(({ id, price }) => [plain(price), ...(synonyms[id] ?? [])].map((name): [string, Meter] => [name, id])),
)
const tierNames = new Map<string, Meter>([
  ...meters.map(({ id, tiers }): [string, Meter] => [plain(tiers), id]),
  ...meters.map(({ id, price }): [string, Meter] => [`${plain(price).replace(/price$/, '')}tiers`, id]),
])
const GENERIC_PRICE = ['price', 'prices', 'modelprice', 'modelprices']
const GENERIC_TIERS = ['pricetiers', 'tiers', 'modelpricetiers']
const MODEL_RATIO = ['modelratio', 'modelratios', 'ratio', 'ratios']
const COMPLETION_RATIO = ['completionratio', 'completionratios']
const CACHE_RATIO = ['cacheratio', 'cacheratios', 'cachereadratio']
const CREATE_RATIO = ['createcacheratio', 'cachecreationratio', 'cachewriteratio']

/** What is known of one model, its members by plain name. */
type Known = Map<string, Json | undefined>

const fieldNames = new Set([
  ...priceNames.keys(),
  ...tierNames.keys(),
  ...GENERIC_PRICE,
  ...GENERIC_TIERS,
  ...MODEL_RATIO,
  ...COMPLETION_RATIO,
  ...CACHE_RATIO,
  ...CREATE_RATIO,
  'imageratio',
  'audioratio',
  'audiocompletionratio',
  'quotatype',
  'billingexpr',
])

/** Members of an object that are maps by model name. */
function splitMapsOf(value: JsonObject): [string, JsonObject][] {
  return Object.entries(value).flatMap(([name, map]): [string, JsonObject][] => {
    const key = plain(name)
    if (!fieldNames.has(key)) return []
    const object = typeof map === 'string' ? parsed(map) : map
    // `prices` and `tiers` may also wrap a list of models: maps have plain values.
    return isObject(object) && Object.values(object).some(isMapValue) ? [[key, object]] : []
  })
}

function isMapValue(value: Json | undefined): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^[\d.+-]/.test(value)) || Array.isArray(value)
}

/** one-api keeps its ratios as JSON texts among its options. */
function parsed(text: string): Json | undefined {
  if (!text.trim().startsWith('{')) return undefined
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/** Reads maps by model name. @returns false when there are none */
export function readSplitMaps(value: JsonObject, feed: Feed): boolean {
  const maps = splitMapsOf(value)
  const named = maps.filter(([key]) => !COMPLETION_RATIO.includes(key) && !CACHE_RATIO.includes(key) && key !== 'quotatype')
  if (named.length === 0) return false
  const byModel = new Map<string, Known>()
  for (const [key, map] of maps) {
    for (const [model, member] of Object.entries(map)) {
      const known = byModel.get(model) ?? new Map<string, Json | undefined>()
      known.set(key, member)
      byModel.set(model, known)
    }
  }
  // Beside ratios a `model_price` is the price of a call (new-api's ratio_config); alone it is one of tokens.
  const perCall = maps.some(([key]) => key === 'modelratio')
  for (const [model, known] of byModel) {
    if (perCall && known.has('modelprice') && !known.has('quotatype')) known.set('quotatype', 1)
    feed.add(model, '', () => pricesOf(model, known))
  }
  return true
}

/** An entry of a list, or of a map by name. */
export function readItem(value: Json | undefined, key: string | undefined, feed: Feed): boolean {
  if (typeof value === 'string' && key === undefined) {
    feed.add(value, '', () => ({ prices: {} }))
    return true
  }
  if (key !== undefined && (typeof value === 'number' || (typeof value === 'string' && value !== ''))) {
    const price = value
    feed.add(key, '', () => {
      const same = decimalOf(price)
      return { prices: { input: same, output: same, cachedInput: same } }
    })
    return true
  }
  if (!isObject(value)) return false
  const name = value['model'] ?? value['model_name'] ?? value['modelName'] ?? value['name'] ?? value['id'] ?? key
  if (typeof name !== 'string') return false
  const known: Known = new Map(Object.entries(value).map(([member, own]) => [plain(member), own]))
  const provider = value['provider'] ?? value['owned_by']
  feed.add(name, typeof provider === 'string' && value['provider'] !== undefined ? provider : '', () => pricesOf(name, known))
  return true
}

function first(known: Known, names: readonly string[]): Json | undefined {
  for (const name of names) {
    const value = known.get(name)
    if (value !== undefined && value !== null && value !== '') return value
  }
  return undefined
}

function pricesOf(name: string, known: Known): FeedPrices {
  const expression = known.get('billingexpr')
  if (typeof expression === 'string' && expression !== '') return readExpression(expression)
  const generic = decimalOf(scalar(first(known, GENERIC_PRICE)))
  const ratio = first(known, MODEL_RATIO)
  const prices: Partial<Record<Meter, Decimal | undefined>> = {}
  for (const [member, meter] of priceNames) {
    const price = prices[meter] ?? decimalOf(scalar(known.get(member)))
    if (price) prices[meter] = price
  }
  if (numberOf(known.get('quotatype') ?? 0) === 1) {
    const price = generic ?? prices.output
    if (!price) throw new PriceFault('not_a_number')
    return { prices: { output: price }, quotaType: 1 }
  }
  if (prices.input === undefined && ratio !== undefined) {
    const byRatio = pricesOfRatios(name, {
      model: scalar(ratio),
      completion: scalar(first(known, COMPLETION_RATIO)),
      cache: scalar(first(known, CACHE_RATIO)),
      createCache: scalar(first(known, CREATE_RATIO)),
      image: scalar(known.get('imageratio')),
      audio: scalar(known.get('audioratio')),
      audioCompletion: scalar(known.get('audiocompletionratio')),
    })
    return { prices: { ...byRatio.prices, ...prices }, tiers: tiersOf(known) }
  }
  prices.input ??= generic
  const completion = decimalOf(scalar(first(known, COMPLETION_RATIO)))
  prices.output ??= prices.input && completion ? times(prices.input, completion) : generic
  if (prices.input === undefined) delete prices.input
  if (prices.output === undefined) delete prices.output
  return { prices, tiers: tiersOf(known) }
}

/** Objects and lists are no prices: they are read as steps, or not at all. */
function scalar(value: Json | undefined): Json | undefined {
  return typeof value === 'object' ? undefined : value
}

function tiersOf(known: Known): Partial<Record<Meter, FeedTier[]>> {
  const tiers: Partial<Record<Meter, FeedTier[]>> = {}
  for (const [member, meter] of tierNames) {
    const list = stepsOf(known.get(member), meter)
    if (list.length > 0) tiers[meter] = list
  }
  const general = first(known, GENERIC_TIERS)
  for (const meter of ['input', 'output', 'cachedInput'] as const) {
    const list = tiers[meter] ? [] : stepsOf(general, meter)
    if (list.length > 0) tiers[meter] = list
  }
  return tiers
}

const THRESHOLDS = ['mintokens', 'from', 'start', 'threshold', 'tokens', 'min']
const CONDITIONS = ['condition', 'tiercondition', 'basis', 'thresholdbasis']

/** Steps as a list of objects, a list of `[min, price, condition?]`, or a map min -> price. */
function stepsOf(value: Json | undefined, meter: Meter): FeedTier[] {
  if (Array.isArray(value)) return value.flatMap((step) => stepOf(step, undefined, meter))
  if (isObject(value)) return Object.entries(value).flatMap(([min, step]) => stepOf(step ?? null, min, meter))
  return []
}

function stepOf(step: Json, min: string | undefined, meter: Meter): FeedTier[] {
  if (Array.isArray(step)) return made(step[0], step[1], step[2])
  if (!isObject(step)) return min === undefined ? [] : made(min, step, undefined)
  const known: Known = new Map(Object.entries(step).map(([member, own]) => [plain(member), own]))
  const own = [...priceNames].flatMap(([name, id]) => (id === meter ? [name] : []))
  return made(first(known, THRESHOLDS) ?? min, first(known, [...own, 'price', 'ratio']), first(known, CONDITIONS))
}

function made(min: Json | undefined, price: Json | undefined, condition: Json | undefined): FeedTier[] {
  const amount = decimalOf(price)
  if (amount === undefined || min === undefined || min === null) return []
  const minTokens = numberOf(min)
  return [{ minTokens, price: amount, condition: typeof condition === 'string' ? tierConditionOf(condition) : '' }]
}
