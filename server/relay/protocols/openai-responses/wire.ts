import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Extensions } from '../canonical.ts'

/** Our id in `Extensions`, seals and foreign blocks. */
export const OWN = 'openai-responses'

/** The member as text, undefined when it is anything else. */
export function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The member as a finite number, undefined when it is anything else. */
export function number(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** A count of tokens or an index: a non-negative whole number below 2^53; anything else counts as not said. */
export function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** The member as a boolean, undefined when it is anything else. */
export function flag(value: Json | undefined): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

/** The member as an object; an empty one when it is anything else. */
export function object(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {}
}

/** The member as a list; an empty one when it is anything else. */
export function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : []
}

/** A call's arguments as JSON text: some vendors send the object itself, or null for none. */
export function argumentsText(value: Json | undefined): string {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : JSON.stringify(value)
}

/**
 * What `known` does not take of `source`. A `null` says no more than its absence would, so it is only remembered (`_null`).
 * A member of ours with a leading `_` never comes from the wire: it would be taken for a memory.
 */
export function leftovers(source: JsonObject, known: ReadonlySet<string>): JsonObject {
  const kept: JsonObject = {}
  const nulls: string[] = []
  for (const key of Object.keys(source)) {
    const value = source[key]
    if (value === undefined) continue
    if (value === null) nulls.push(key)
    else if (!known.has(key) && !key.startsWith('_')) kept[key] = value
  }
  if (nulls.length > 0) kept._null = nulls
  return kept
}

/** Wraps what has no canonical name as an `ext`; nothing when there is nothing. */
export function own(extra: JsonObject): { ext?: Extensions } {
  for (const key in extra) if (extra[key] !== undefined) return { ext: { [OWN]: extra } }
  return {}
}

/**
 * Whether a turn or a finish was spoken in this protocol: its decoders leave `ext` there even when nothing is in it. Then everything
 * is given back as it was said instead of being made to fit.
 */
export function isNative(holder: { ext?: Extensions }): boolean {
  return holder.ext?.[OWN] !== undefined
}

/** What an `ext` remembers under `_name`. */
export function remembered(ext: Extensions | undefined, name: string): Json | undefined {
  return ext?.[OWN]?.[`_${name}`]
}

/** Our members of an `ext` as they go back on the wire: without memories, with the nulls that were said. */
export function ownMembers(ext: Extensions | undefined): JsonObject {
  const members: JsonObject = {}
  const source = ext?.[OWN]
  if (!source) return members
  for (const key of list(source._null)) if (typeof key === 'string') members[key] = null
  for (const key of Object.keys(source)) if (!key.startsWith('_')) members[key] = source[key]
  return members
}

/** JSON text as an object; undefined when it is not one. */
export function parseObject(json: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
