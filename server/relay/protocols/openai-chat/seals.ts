import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Seal } from '../canonical.ts'
import { packSeal, unpackSeal } from '../seal.ts'
import { OWN } from './wire.ts'

/*
 * How seals ride through a Chat Completions client (see also block.ts).
 *
 * Such clients echo `id`, `name` and `arguments` of a tool call and drop every member they do not know. So what the maker of an answer
 * needs back is a suffix of the call's id, which comes back in `tool_calls[].id` and `tool_call_id` alike:
 *
 *     <id>[.tgr1.<base64url of JSON>][.tg1.<maker>.<base64url>]
 *
 * `tgr1` holds the sealed reasoning told since the call before, `[[maker, value, text, redacted 0|1], ...]`: makers want the text back
 * with its signature. `tg1` is the call's own seal, as seal.ts writes it. Both are taken off before a request goes to any upstream.
 *
 * Reasoning that no call follows, and a call's seal known too late for its id, are told in `reasoning_details`, OpenRouter's list that
 * its clients echo unchanged, as `{type: 'reasoning.encrypted', data: 'tgr1...'}` and `{type: 'reasoning.encrypted', id, data: 'tg1...'}`.
 *
 * Seals of our own (`by: 'openai-chat'`) say in which member a vendor wants its thoughts back: `reasoning_content`, `reasoning`,
 * `thinking` (Mistral's content part), or the JSON of a `reasoning_details` list; of a call, the JSON of its `extra_content` (Gemini).
 */
export type Reasoning = Extract<Block, { type: 'reasoning' }>

const REASONING = 'tgr1.'
const SUFFIX = /\.tgr1\.|\.tg1\./
const MAKER = /^[a-z][a-z0-9-]{0,31}$/
const BASE64URL = /^[A-Za-z0-9_-]*$/
/** Thoughts and signatures of one turn reach some hundred kilobytes; more than this was not written by us. */
const MAX_PACKED_CHARS = 4 * 1024 * 1024

/** True for a reasoning block that only its maker, who is not a Chat upstream, can read. */
export function isSealedElsewhere(block: Reasoning): boolean {
  return block.seal !== undefined && block.seal.by !== OWN
}

/** Writes sealed reasoning as one text of letters that every client keeps. */
export function packReasoning(blocks: Reasoning[]): string {
  const rows = blocks.map((block) => [block.seal?.by ?? '', block.seal?.value ?? '', block.text, block.redacted ? 1 : 0])
  return REASONING + Buffer.from(JSON.stringify(rows), 'utf8').toString('base64url')
}

/** Reads `packReasoning` back; undefined when the text is anything else. It comes from the client, so everything is checked. */
export function unpackReasoning(packed: string): Reasoning[] | undefined {
  if (!packed.startsWith(REASONING) || packed.length > MAX_PACKED_CHARS) return undefined
  const encoded = packed.slice(REASONING.length)
  if (!BASE64URL.test(encoded)) return undefined
  const rows = parseJson(Buffer.from(encoded, 'base64url').toString('utf8'))
  if (!Array.isArray(rows)) return undefined
  const blocks: Reasoning[] = []
  for (const row of rows) {
    if (!Array.isArray(row)) return undefined
    const [by, value, text, redacted] = row
    if (typeof by !== 'string' || typeof value !== 'string' || typeof text !== 'string' || !MAKER.test(by)) return undefined
    blocks.push({ type: 'reasoning', text, seal: { by, value }, ...(redacted === 1 ? { redacted: true } : {}) })
  }
  return blocks
}

/** A call's id with what must come back hung on. */
export function writeCallId(id: string, reasoning: Reasoning[], seal: Seal | undefined): string {
  const thoughts = reasoning.length > 0 ? `.${packReasoning(reasoning)}` : ''
  return seal && seal.by !== OWN ? `${id}${thoughts}.${packSeal(seal, OWN)}` : id + thoughts
}

export interface CallId {
  id: string
  reasoning: Reasoning[]
  seal?: Seal
}

/** Takes a call's id apart; a suffix that is none of ours is part of the id. */
export function readCallId(wire: string): CallId {
  const at = wire.search(SUFFIX)
  if (at < 0) return { id: wire, reasoning: [] }
  const found: CallId = { id: wire.slice(0, at), reasoning: [] }
  let tail = wire.slice(at + 1)
  if (tail.startsWith(REASONING)) {
    const end = tail.indexOf('.', REASONING.length)
    const reasoning = unpackReasoning(end < 0 ? tail : tail.slice(0, end))
    if (!reasoning) return { id: wire, reasoning: [] }
    found.reasoning = reasoning
    tail = end < 0 ? '' : tail.slice(end + 1)
  }
  if (tail === '') return found
  const seal = tail.startsWith('tg1.') ? unpackSeal(tail, OWN) : undefined
  return seal ? { ...found, seal } : { id: wire, reasoning: [] }
}

/** The id alone. */
export function plainCallId(wire: string): string {
  return wire.includes('.tg') ? readCallId(wire).id : wire
}

/** A `reasoning_details` entry of ours. */
export function writeDetail(data: string, index: number, callId?: string): JsonObject {
  return { type: 'reasoning.encrypted', ...(callId === undefined ? {} : { id: callId }), data, index }
}

export interface Details {
  /** Thoughts of other makers, told by us. */
  reasoning: Reasoning[]
  /** Seals of calls, told by us, by the plain id of the call. */
  calls: Map<string, Seal>
  /** The vendor's own entries. */
  others: Json[]
}

/** Parts a `reasoning_details` list into what we told and what is the vendor's own. */
export function readDetails(list: Json | undefined): Details {
  const details: Details = { reasoning: [], calls: new Map(), others: [] }
  if (!Array.isArray(list)) return details
  for (const entry of list) {
    const data = isObject(entry) && typeof entry.data === 'string' ? entry.data : ''
    if (data.startsWith(REASONING)) {
      details.reasoning.push(...(unpackReasoning(data) ?? []))
    } else if (data.startsWith('tg1.') && isObject(entry) && typeof entry.id === 'string') {
      const seal = unpackSeal(data, OWN)
      if (seal) details.calls.set(plainCallId(entry.id), seal)
    } else details.others.push(entry)
  }
  return details
}

/** JSON text as a value; undefined when it is none. */
export function parseJson(source: string): Json | undefined {
  try {
    const value: Json = JSON.parse(source)
    return value
  } catch {
    return undefined
  }
}

const THOUGHT_TEXT = ['text', 'summary'] as const

/** The readable text of a vendor's own `reasoning_details`. */
export function detailsText(list: Json[]): string {
  let text = ''
  for (const entry of list) {
    if (!isObject(entry)) continue
    for (const member of THOUGHT_TEXT) if (typeof entry[member] === 'string') text += entry[member]
  }
  return text
}

/** Puts streamed `reasoning_details` together: pieces of one `index` and type are one entry, their texts appended. */
export function mergeDetails(into: Json[], pieces: Json[]): void {
  for (const piece of pieces) {
    const known = isObject(piece)
      ? into.findIndex((entry) => isObject(entry) && entry.index !== undefined && entry.index === piece.index && entry.type === piece.type)
      : -1
    const before = into[known]
    if (!isObject(before) || !isObject(piece)) {
      into.push(piece)
      continue
    }
    const merged: JsonObject = { ...before }
    for (const [key, value] of Object.entries(piece)) {
      if (value === undefined || value === null) continue
      const old = merged[key]
      const grows = (key === 'text' || key === 'summary' || key === 'data') && typeof old === 'string' && typeof value === 'string'
      merged[key] = grows ? old + value : value
    }
    into[known] = merged
  }
}
