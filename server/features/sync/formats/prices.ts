import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import { Feed } from '../feed.ts'
import { readItem, readSplitMaps } from './generic.ts'
import { isLiteLlmItem, readLiteLlm } from './litellm.ts'
import { isModelsDevProvider, readModelsDev } from './models-dev.ts'
import { isNewApiItem, readNewApi } from './new-api.ts'
import { isOpenRouterItem, readOpenRouter } from './open-router.ts'

/** Where lists of models and prices stand inside an answer (contract.md 10.3). */
const WRAPPERS = ['data', 'prices', 'models', 'model_prices', 'modelPrices', 'list', 'items']
/** Wrappers inside wrappers; deeper nobody hides a list. */
const MAX_WRAPPERS = 4

/**
 * Reads a price list by its shape, whoever it comes from.
 * @returns a feed without items when it is none
 */
export function readPrices(payload: Json): Feed {
  const feed = new Feed()
  read(payload, feed, 0)
  return feed
}

function read(value: Json | undefined, feed: Feed, depth: number): boolean {
  if (depth > MAX_WRAPPERS || value === undefined || value === null) return false
  if (Array.isArray(value)) return readList(value, feed)
  if (!isObject(value)) return false
  const members = Object.values(value)
  if (members.some(isLiteLlmItem)) return done(readLiteLlm(value, feed))
  if (members.some(isModelsDevProvider)) return done(readModelsDev(value, feed))
  if (readSplitMaps(value, feed)) return true
  for (const wrapper of WRAPPERS) if (Object.hasOwn(value, wrapper) && read(value[wrapper], feed, depth + 1)) return true
  return readMap(value, feed) || members.some((member) => typeof member === 'object' && read(member, feed, depth + 1))
}

function readList(rows: readonly Json[], feed: Feed): boolean {
  if (rows.some(isNewApiItem)) return done(readNewApi(rows, feed))
  if (rows.some(isOpenRouterItem)) return done(readOpenRouter(rows, feed))
  const options = optionsOf(rows)
  if (options && readSplitMaps(options, feed)) return true
  let found = false
  for (const row of rows) {
    if (readItem(row, undefined, feed)) found = true
    else feed.skipped += 1
  }
  return found
}

/** one-api's options, `[{key:"ModelRatio", value:"{...}"}]`, as one object. */
function optionsOf(rows: readonly Json[]): JsonObject | undefined {
  const pairs = rows.flatMap((row) =>
    isObject(row) && typeof row['key'] === 'string' && 'value' in row ? [[row['key'], row['value']] as const] : [],
  )
  return pairs.length === rows.length && pairs.length > 0 ? Object.fromEntries(pairs) : undefined
}

/** Names of an answer's frame are no models. */
const FRAME = new Set(['success', 'message', 'object', 'code', 'status', 'error', 'total', 'page', 'page_size', 'unit', 'version'])

/** A map name -> price or object. */
function readMap(value: JsonObject, feed: Feed): boolean {
  const rows = Object.entries(value).filter(([name]) => !FRAME.has(name) && !WRAPPERS.includes(name))
  const isPrice = ([, row]: [string, Json | undefined]): boolean =>
    typeof row === 'number' || (typeof row === 'string' && /^[\d.+-]/.test(row)) || (isObject(row) && hasPrice(row))
  if (!rows.some(isPrice)) return false
  for (const [name, row] of rows) if (!readItem(row, name, feed)) feed.skipped += 1
  return feed.items.size > 0
}

function hasPrice(row: JsonObject): boolean {
  return Object.keys(row).some((name) => /price|ratio|cost|billing_expr/i.test(name))
}

function done(_: void): true {
  return true
}
