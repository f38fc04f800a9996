import { hash, randomBytes, randomInt } from 'node:crypto'

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** Randomness is drawn in blocks: one system call for many ids on the hot path. */
const POOL_BYTES = 4096
/** 80 bits in hex. */
const RANDOM_CHARS = 20
/** Milliseconds in base 36 have nine characters until the year 5188. */
const TIME_CHARS = 9
let pool = ''
let offset = 0

/**
 * A request id: `req_` + 9 characters of time + 20 of randomness. Ids sort by time, so an index over them grows at its
 * end.
 */
export function requestId(now: number): string {
  if (offset + RANDOM_CHARS > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex')
    offset = 0
  }
  const random = pool.slice(offset, offset + RANDOM_CHARS)
  offset += RANDOM_CHARS
  return `req_${now.toString(36).padStart(TIME_CHARS, '0')}${random}`
}

/** `sk-` + base64url of 32 random bytes: 46 characters (contract.md 2.4). */
export function apiKeySecret(): string {
  return `sk-${randomBytes(32).toString('base64url')}`
}

/** URL-safe random text of the given strength. */
export function randomToken(bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}

/** Base32 letters for codes people type: 13 for a referral code (contract.md 3.3). */
export function codeOf(length: number): string {
  let code = ''
  for (const byte of randomBytes(length)) code += BASE32.charAt(byte & 31)
  return code
}

/** A fair draw of 0 .. `count - 1`; count up to 2^48. */
export function drawBelow(count: number): number {
  return randomInt(count)
}

/** SHA-256 in hex: what is stored of an API key. */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex')
}
