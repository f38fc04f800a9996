import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'

/** The id under which this protocol's extensions, seals and foreign blocks are kept. */
export const GEMINI = 'gemini'

/**
 * One level of an object with its member names in camelCase: Google reads `inline_data` and `inlineData` alike (proto3 JSON
 * mapping). The same object comes back when there is nothing to rename; a camelCase member wins over its snake_case twin.
 */
export function camel(object: JsonObject): JsonObject {
  let snake = false
  for (const key in object) {
    if (isSnake(key)) {
      snake = true
      break
    }
  }
  if (!snake) return object
  const renamed: JsonObject = {}
  for (const [key, value] of Object.entries(object)) {
    if (!isSnake(key)) renamed[key] = value
  }
  for (const [key, value] of Object.entries(object)) {
    if (!isSnake(key)) continue
    const name = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    if (!Object.hasOwn(renamed, name)) renamed[name] = value
  }
  return renamed
}

/** A leading underscore is no snake_case: such names are our own marks (see canonical.ts, Extensions). */
function isSnake(key: string): boolean {
  return key.indexOf('_') > 0
}

/** The object under one of two spellings, with its member names in camelCase. */
export function member(object: JsonObject, name: string, snake: string): JsonObject | undefined {
  const value = object[name] ?? object[snake]
  return isObject(value) ? camel(value) : undefined
}

export function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : []
}

/** A finite number; proto3 JSON also allows it as a string. */
export function number(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string' || !/^-?\d+(\.\d+)?$/.test(value)) return undefined
  return Number(value)
}

/** A count of tokens: a non-negative integer below 2^53; anything else counts as absent. */
export function count(value: Json | undefined): number | undefined {
  const read = number(value)
  return read !== undefined && Number.isSafeInteger(read) && read >= 0 ? read : undefined
}

/** JSON text of an object; undefined when it is anything else. */
export function parseObject(json: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** `models/` belongs to Google's resource names, not to the model's name. */
export function bareModel(model: string): string {
  const name = model.trim()
  return name.startsWith('models/') ? name.slice('models/'.length) : name
}

/**
 * The generations differ in what they take: up to 2.x thinking is a budget and a tool answers in text only; from 3 on thinking is
 * a level, tool answers may hold media, and calls must bring their signature back. A name that tells no generation
 * (`gemini-flash-latest`) is the newest.
 */
export function isBeforeGemini3(model: string): boolean {
  return /gemini-[12](?![0-9])/.test(model)
}

/** JSON Schema is understood from 2.5 on (Gemini API, structured output); older models take the OpenAPI subset only. */
export function needsOpenApiSchema(model: string): boolean {
  return /gemini-(1|2\.0)(?![0-9])/.test(model)
}

/** A short deterministic fingerprint (FNV-1a, 32 bits): names what has no name of its own, protects nothing. */
export function fingerprint(value: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < value.length; i++) hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(36)
}
