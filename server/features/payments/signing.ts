import { createHmac, hash, timingSafeEqual } from 'node:crypto'

/** Names and values of a signed message. */
export type Fields = ReadonlyMap<string, string>

/**
 * The string that is signed (contract.md 9.2): fields but `sign`, `sign_type` and blank ones, by name, `name=value` joined
 * with `&`, nothing escaped. It means one thing only when no value has `&` or `=` in it: see grammar.ts.
 */
export function canonical(fields: Fields, withSignType = false): string {
  return [...fields]
    .filter(([name, value]) => {
      const lower = name.toLowerCase()
      return lower !== 'sign' && (withSignType || lower !== 'sign_type') && value.trim() !== ''
    })
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** Lower-case hex MD5 of the string with the key behind it: what the gateways of this kind ask for. */
export function md5Sign(text: string, key: string): string {
  return hash('md5', text + key, 'hex')
}

export function hmacSign(text: string, key: string, output: 'hex' | 'base64'): string {
  return createHmac('sha256', key).update(text).digest(output)
}

/** Compares in a time that does not depend on where they differ. */
export function sameText(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
}
