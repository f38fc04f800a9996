import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { CacheMark, Extensions } from '../canonical.ts'

/** Our id in `Extensions`, seals and foreign blocks. */
export const OWN = 'claude'

/**
 * The Messages API requires `max_tokens`; a turn of a protocol that does not gets this. Every model since Claude 3.5 can write as
 * much, and a longer answer ends with `max_tokens`, which every client understands.
 */
export const DEFAULT_MAX_TOKENS = 8192

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

/** The members of `object` that `known` does not name. `null` means "not said" everywhere in this API and is left out. */
export function rest(object: JsonObject, known: ReadonlySet<string>): JsonObject | undefined {
  let found: JsonObject | undefined
  for (const key of Object.keys(object)) {
    const value = object[key]
    if (value === null || value === undefined || known.has(key)) continue
    found ??= {}
    found[key] = value
  }
  return found
}

/** Wraps what has no canonical name as the `ext` of a block, message or turn; nothing when there is nothing. */
export function own(extra: JsonObject | undefined): { ext?: Extensions } {
  return extra ? { ext: { [OWN]: extra } } : {}
}

/**
 * Whether a turn or answer was spoken in this protocol. Decoders leave `ext.claude` there even when nothing is in it: it has no
 * member to lose, and tells the encoder to give back exactly what was said instead of making a foreign talk fit Claude's rules.
 */
export function isNative(object: { ext?: Extensions }): boolean {
  return object.ext?.[OWN] !== undefined
}

/** Our members of an `ext` that go back on the wire: those with a leading `_` only remember how something was written. */
export function ownMembers(ext: Extensions | undefined): JsonObject | undefined {
  const members = ext?.[OWN]
  if (!members) return undefined
  let found: JsonObject | undefined
  for (const key of Object.keys(members)) {
    if (key.startsWith('_')) continue
    found ??= {}
    found[key] = members[key]
  }
  return found
}

/** `cache_control` as a mark; undefined when it is absent or says more than a mark can hold (then it stays in `ext`). */
export function readCache(value: Json | undefined): CacheMark | undefined {
  if (!isObject(value) || value.type !== 'ephemeral') return undefined
  for (const key of Object.keys(value)) if (key !== 'type' && key !== 'ttl') return undefined
  if (value.ttl === undefined || value.ttl === null) return {}
  return value.ttl === '5m' || value.ttl === '1h' ? { ttl: value.ttl } : undefined
}

/** The mark as `cache_control`. */
export function writeCache(mark: CacheMark | undefined): { cache_control?: JsonObject } {
  if (!mark) return {}
  return { cache_control: mark.ttl ? { type: 'ephemeral', ttl: mark.ttl } : { type: 'ephemeral' } }
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
