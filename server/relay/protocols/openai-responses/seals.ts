import type { Block, Seal } from '../canonical.ts'
import { packSeal, unpackSeal } from '../seal.ts'
import { OWN } from './wire.ts'

/*
 * How seals ride through a Responses client.
 *
 * - Thoughts: `encrypted_content` of a reasoning item, which every stateless client sends back (Codex keeps `summary` and
 *   `encrypted_content` and drops the ids and `content` of items). `tg1.<maker>.<base64url>`, with `.redacted` behind it for thoughts
 *   that have no text to show.
 * - Calls (Gemini signs them): a suffix of `call_id`, the one member every client sends back with the call and with its result; item ids
 *   are dropped by Codex and become references in the ai SDK. A seal known too late for the `call_id` follows in a reasoning item of
 *   its own, `encrypted_content: tg1.<maker>.<base64url>.call.<id>`.
 *
 * Thoughts that nobody sealed (Gemini's) are marked `tg1.none.`: OpenAI refuses a reasoning item it did not make.
 *
 * Our own seal is `encrypted_content` with the id of its item before it, `rs_...:gAAAA...`: OpenAI refuses one under another id.
 */
const PACKED = 'tg1.'
/** The mark of thoughts nobody sealed, so that they are told from OpenAI's own when a client sends them back. */
export const UNSIGNED = 'tg1.none.'
const REDACTED = '.redacted'
const CARRIER = /^(tg1\.[a-z][a-z0-9-]*\.[A-Za-z0-9_-]*)\.call\.(.+)$/s
const SUFFIX = '.tg1.'
const OWN_VALUE = /^(rs_[A-Za-z0-9_-]{1,200}):/
const OWN_ID = /^rs_[A-Za-z0-9_-]{1,200}$/
/** A maker nobody is: a text that pretends to be a packed seal and is none. Every encoder drops it with a Loss. */
const INVALID: Seal = { by: 'invalid', value: '' }

type Reasoning = Extract<Block, { type: 'reasoning' }>

/** True for an `encrypted_content` that OpenAI did not make and would refuse. */
export function isPacked(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(PACKED)
}

/** Reads `encrypted_content` of the reasoning item `id`. */
export function readEncrypted(value: string, id: string | undefined): { seal?: Seal; redacted?: boolean } {
  if (value === UNSIGNED) return {}
  if (!value.startsWith(PACKED)) return { seal: { by: OWN, value: id !== undefined && OWN_ID.test(id) ? `${id}:${value}` : value } }
  const redacted = value.endsWith(REDACTED)
  const seal = unpackSeal(redacted ? value.slice(0, -REDACTED.length) : value, OWN) ?? INVALID
  return redacted ? { seal, redacted } : { seal }
}

/** The `encrypted_content` of thoughts, and the id of the item it belongs to where we made neither. */
export function writeEncrypted(block: Reasoning): { encrypted?: string; id?: string } {
  const { seal } = block
  if (!seal) return {}
  if (seal.by !== OWN) return { encrypted: packSeal(seal, OWN) + (block.redacted ? REDACTED : '') }
  const id = OWN_VALUE.exec(seal.value)?.[1]
  return id === undefined ? { encrypted: seal.value } : { encrypted: seal.value.slice(id.length + 1), id }
}

/** The `encrypted_content` of an item that only carries the seal of the call `callId`. */
export function writeCarrier(seal: Seal, callId: string): string {
  return `${packSeal(seal, OWN)}.call.${callId}`
}

/** Reads a carrier back; undefined for any other `encrypted_content`. */
export function readCarrier(value: unknown): { seal: Seal; callId: string } | undefined {
  if (!isPacked(value)) return undefined
  const found = CARRIER.exec(value)
  const [, packed, callId] = found ?? []
  const seal = packed === undefined ? undefined : unpackSeal(packed, OWN)
  return seal && callId !== undefined ? { seal, callId } : undefined
}

/** A `call_id` with the call's seal hung on. */
export function writeCallId(id: string, seal: Seal | undefined): string {
  return seal && seal.by !== OWN ? `${id}.${packSeal(seal, OWN)}` : id
}

/** Takes a `call_id` apart; a suffix that is none of ours is part of the id. */
export function readCallId(wire: string): { id: string; seal?: Seal } {
  const at = wire.lastIndexOf(SUFFIX)
  if (at < 0) return { id: wire }
  const seal = unpackSeal(wire.slice(at + 1), OWN)
  return seal ? { id: wire.slice(0, at), seal } : { id: wire }
}
