import { createHash } from 'node:crypto'
import type { JsonObject } from '../../../../contract/json.ts'
import { text } from './wire.ts'

/** Between namespace and name in the one name other protocols have: letters every maker takes, and hardly ever written by anyone. */
const SEPARATOR = '-_-'
/** Longest `call_id` OpenAI takes. */
const MAX_CALL_ID = 64

/** The name of a tool or call as other protocols see it: `mcp__calendar` + `create_event` -> `mcp__calendar-_-create_event`. */
export function joinName(namespace: string | undefined, name: string): string {
  return namespace ? namespace + SEPARATOR + name : name
}

/**
 * Undoes `joinName`. It needs no table of the request's tools, so an answer's calls can be given back to a client that sent its
 * tools in namespaces (Codex) by another process.
 */
export function splitName(joined: string): { name: string; namespace?: string } {
  const at = joined.indexOf(SEPARATOR)
  if (at <= 0 || at + SEPARATOR.length >= joined.length) return { name: joined }
  return { name: joined.slice(at + SEPARATOR.length), namespace: joined.slice(0, at) }
}

/** Reads `name` and `namespace` of a call; `plain` marks a name that only looks joined. */
export function readName(item: JsonObject): { name: string; plain: boolean } | undefined {
  const name = text(item.name)
  if (name === undefined) return undefined
  const namespace = text(item.namespace)
  return { name: joinName(namespace, name), plain: !namespace && name.includes(SEPARATOR) }
}

/** A call id OpenAI takes; a longer one becomes its digest, the same for the call and its result. */
export function fitCallId(id: string): string {
  return id.length <= MAX_CALL_ID ? id : `call_${createHash('sha256').update(id).digest('hex').slice(0, 48)}`
}
