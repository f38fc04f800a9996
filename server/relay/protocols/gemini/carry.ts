import { isObject } from '../../../../contract/json.ts'
import type { Json } from '../../../../contract/json.ts'
import type { Block, Seal } from '../canonical.ts'
import { packSeal } from '../seal.ts'
import { GEMINI, list, text } from './wire.ts'

/**
 * Gemini clients give back the `thoughtSignature` of a function call and drop the thoughts before it (clients.md; Google's CLI
 * strips them from the history). Claude refuses a tool result whose thinking block is gone, so the sealed thoughts of another
 * maker ride, whole, in the signature of the call they led to: a packed seal of this maker name, whose value is a JSON list.
 */
const CARRY = 'carry'
/** seal.ts reads no longer signature; base64url makes it a third longer. */
const MAX_CARRY_CHARS = 700_000

export type ReasoningBlock = Extract<Block, { type: 'reasoning' }>

/** @returns the signature to write, or undefined when it would be too long to be read back */
export function packCarry(blocks: readonly ReasoningBlock[]): string | undefined {
  const rows = blocks.map((block) => ({
    text: block.text,
    by: block.seal?.by,
    value: block.seal?.value,
    ...(block.redacted && { redacted: true }),
  }))
  const value = JSON.stringify(rows)
  return Buffer.byteLength(value) > MAX_CARRY_CHARS ? undefined : packSeal({ by: CARRY, value }, GEMINI)
}

/** The thoughts inside a carried seal; undefined when the seal is not one of ours. It comes from the client. */
export function unpackCarry(seal: Seal): ReasoningBlock[] | undefined {
  if (seal.by !== CARRY) return undefined
  let rows: Json
  try {
    rows = JSON.parse(seal.value) as Json
  } catch {
    return []
  }
  const blocks: ReasoningBlock[] = []
  for (const row of list(rows)) {
    if (!isObject(row)) continue
    const by = text(row.by)
    const value = text(row.value)
    if (by === undefined || value === undefined) continue
    const block: ReasoningBlock = { type: 'reasoning', text: text(row.text) ?? '', seal: { by, value } }
    if (row.redacted === true) block.redacted = true
    blocks.push(block)
  }
  return blocks
}
