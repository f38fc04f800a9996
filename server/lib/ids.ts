import { createHash, randomBytes } from 'node:crypto'

/** Crockford base32: no letters that are read as digits; sorts like the number. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** Random bytes are drawn in blocks: one system call for many ids on the hot path. */
const POOL_BYTES = 4096
let pool = randomBytes(POOL_BYTES)
let offset = 0

function draw(count: number): Buffer {
  if (offset + count > POOL_BYTES) {
    pool = randomBytes(POOL_BYTES)
    offset = 0
  }
  const bytes = pool.subarray(offset, offset + count)
  offset += count
  return bytes
}

/**
 * A request id: `req_` + 9 characters of time + 16 of randomness (80 bits). Ids sort by time, so an index over them
 * grows at its end.
 */
export function requestId(now: number): string {
  let time = ''
  let rest = now
  for (let place = 0; place < 9; place += 1) {
    time = ALPHABET.charAt(rest % 32) + time
    rest = Math.floor(rest / 32)
  }
  let random = ''
  for (const byte of draw(16)) random += ALPHABET.charAt(byte & 31)
  return `req_${time}${random}`
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

/** SHA-256 in hex: what is stored of an API key. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
