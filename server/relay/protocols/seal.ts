import type { Seal } from './canonical.ts'

const PREFIX = 'tg1.'
/** Encrypted reasoning of a long turn reaches hundreds of kilobytes; more than this is no seal of any maker. */
const MAX_SEAL_CHARS = 1024 * 1024
const MAKER = /^[a-z][a-z0-9-]{0,31}$/
const BASE64URL = /^[A-Za-z0-9_-]*$/

/**
 * Writes a seal into the field of a protocol that did not make it, so that the client echoes it back.
 * A seal of `own` is written as it is.
 */
export function packSeal(seal: Seal, own: string): string {
  if (seal.by === own) return seal.value
  return `${PREFIX}${seal.by}.${Buffer.from(seal.value, 'utf8').toString('base64url')}`
}

/**
 * Reads a seal back from a field of protocol `own`. It comes from the client, so size and alphabet are checked.
 * @returns the seal, or undefined when the text pretends to be a packed seal and is not one
 */
export function unpackSeal(text: string, own: string): Seal | undefined {
  if (text.length > MAX_SEAL_CHARS) return undefined
  if (!text.startsWith(PREFIX)) return { by: own, value: text }
  const dot = text.indexOf('.', PREFIX.length)
  if (dot < 0) return undefined
  const by = text.slice(PREFIX.length, dot)
  const packed = text.slice(dot + 1)
  if (!MAKER.test(by) || !BASE64URL.test(packed)) return undefined
  return { by, value: Buffer.from(packed, 'base64url').toString('utf8') }
}
