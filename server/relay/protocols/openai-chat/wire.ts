import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Extensions } from '../canonical.ts'

/** Our id in `Extensions`, seals and foreign blocks. */
export const OWN = 'openai-chat'

/** The member as text, undefined when it is anything else. */
export function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The member as a finite number, undefined when it is anything else. */
export function number(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** A count of tokens: a non-negative whole number below 2^53; anything else counts as not said. */
export function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** The member as an object; an empty one when it is anything else. */
export function object(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {}
}

/** The objects of a list; an empty list when the member is none. */
export function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Wraps what has no canonical name as an `ext`; nothing when there is nothing. */
export function own(extra: JsonObject | undefined): { ext?: Extensions } {
  if (!extra) return {}
  for (const key in extra) if (extra[key] !== undefined) return { ext: { [OWN]: extra } }
  return {}
}

/** Our own members of an `ext`, those that come back as they are: without the `_...` that remember a way of writing. */
export function ownMembers(ext: Extensions | undefined): JsonObject {
  const members: JsonObject = {}
  for (const [key, value] of Object.entries(ext?.[OWN] ?? {})) if (!key.startsWith('_')) members[key] = value
  return members
}

/** What an `ext` remembers under `_name`. */
export function remembered(ext: Extensions | undefined, name: string): Json | undefined {
  return ext?.[OWN]?.[`_${name}`]
}

/** The members of `source` that `known` does not name; undefined when there are none. */
export function rest(source: JsonObject, known: ReadonlySet<string>): JsonObject | undefined {
  let found: JsonObject | undefined
  for (const key of Object.keys(source)) {
    if (known.has(key) || source[key] === undefined) continue
    found ??= {}
    found[key] = source[key]
  }
  return found
}

/** As `rest`, without members that are null: in an answer null means "none". */
export function restSaid(source: JsonObject, known: ReadonlySet<string>): JsonObject | undefined {
  const found = rest(source, known)
  if (!found) return undefined
  for (const key of Object.keys(found)) if (found[key] === null) delete found[key]
  return Object.keys(found).length > 0 ? found : undefined
}

/** Whether two JSON values say the same, whatever the order of their members. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((value, index) => sameJson(value, b[index]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a).filter((key) => a[key] !== undefined)
  return keys.length === Object.keys(b).filter((key) => b[key] !== undefined).length && keys.every((key) => sameJson(a[key], b[key]))
}

/** A call's arguments as JSON text: some vendors send the object itself, or null for none. */
export function argumentsText(value: Json | undefined): string {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : JSON.stringify(value)
}
