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

/** What OpenAI takes as the name of a tool. */
const ALLOWED = /^[a-zA-Z0-9_-]+$/
const PREFIX = 'tg_'

/**
 * The tool name of another protocol in letters OpenAI takes, e.g. `fs.read` -> `tg_fs_x2e_read`. `fromWireName` turns it back without
 * a table, so a later request or another process can.
 */
export function toWireName(name: string): string {
  if (ALLOWED.test(name) && !name.startsWith(PREFIX)) return name
  return PREFIX + name.replace(/_x|[^a-zA-Z0-9_-]/g, (found) => (found === '_x' ? '_x5f_x' : `_x${found.charCodeAt(0).toString(16)}_`))
}

/** Undoes `toWireName`; a name that only looks like one of ours stays as it is. */
export function fromWireName(name: string): string {
  if (!name.startsWith(PREFIX)) return name
  const plain = name.slice(PREFIX.length).replace(/_x([0-9a-f]{1,4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return toWireName(plain) === name ? plain : name
}
