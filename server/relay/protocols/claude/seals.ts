import type { Block, Seal } from '../canonical.ts'
import { packSeal, unpackSeal } from '../seal.ts'
import { fromWireName, toWireName } from './names.ts'
import { OWN } from './wire.ts'

/** What every packed seal begins with; Claude's own signatures are plain base64 and never do. */
const PACKED = 'tg1.'
/** The maker written on thoughts nobody signed, so that they are told from Claude's own when a client sends them back. */
const UNSIGNED = { by: 'none', value: '' }

/** True for a signature or sealed thought that Claude did not make and would refuse. */
export function isPacked(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith(PACKED)
}

/**
 * Reads a `signature` or `data`. A text that pretends to be a packed seal and is none gets a maker nobody is, so that every
 * encoder drops it with a Loss.
 * @returns undefined for the mark of thoughts nobody signed
 */
export function readSeal(value: string): Seal | undefined {
  const seal = unpackSeal(value, OWN) ?? { by: 'invalid', value: '' }
  return seal.by === UNSIGNED.by ? undefined : seal
}

/** The `signature` of thoughts in an answer; those without a seal are marked as nobody's. */
export function writeSeal(seal: Seal | undefined): string {
  return packSeal(seal ?? UNSIGNED, OWN)
}

/**
 * A tool use has no member for a seal (Gemini signs its calls), so it rides beside the call in a `redacted_thinking` block of its
 * own, as `<packed seal>.<id of the call>`: clients must send such blocks back unchanged.
 */
export function writeCarrier(seal: Seal, callId: string): string | undefined {
  return seal.by === OWN ? undefined : `${packSeal(seal, OWN)}.${toWireName(callId)}`
}

/** Reads a carrier back; undefined when the block is any other redacted thought. */
export function readCarrier(data: unknown): { seal: Seal; callId: string } | undefined {
  if (typeof data !== 'string' || !data.startsWith(PACKED)) return undefined
  const last = data.lastIndexOf('.')
  if (data.split('.', 5).length !== 4) return undefined
  const seal = unpackSeal(data.slice(0, last), OWN)
  return seal ? { seal, callId: fromWireName(data.slice(last + 1)) } : undefined
}

/** Gives carried seals to the calls they belong to. */
export function sealCalls(blocks: Block[], carried: ReadonlyMap<string, Seal>): void {
  if (carried.size === 0) return
  for (const block of blocks) {
    if (block.type !== 'call') continue
    const seal = carried.get(block.id)
    if (seal) block.seal = seal
  }
}
