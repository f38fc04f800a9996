import { Secret, TOTP } from 'otpauth'
import { codeOf, sha256Hex } from '../../lib/ids.ts'

/** 160 bits (RFC 4226 4, R6). */
const SECRET_BYTES = 20
/** Steps of 30 s before and after that count: clocks of phones go wrong by so much (RFC 6238 5.2). */
const WINDOW = 1
const RECOVERY_CODES = 10
/** 80 bits of base32: a fast hash of them cannot be searched. */
const RECOVERY_CHARS = 16
const RECOVERY_GROUP = 4

/** What an authenticator app reads: six digits of SHA-1 every 30 s, which all apps have. */
export function newTotp(site: string, account: string): { secret: string; url: string } {
  const totp = new TOTP({ issuer: site, label: account, secret: new Secret({ size: SECRET_BYTES }) })
  return { secret: totp.secret.base32, url: totp.toString() }
}

/** The 30-second step a code belongs to, or undefined for a code that is not of now. */
export function stepOf(secret: string, code: string, now: number): number | undefined {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) })
  const delta = totp.validate({ token: code, timestamp: now, window: WINDOW })
  return delta === null ? undefined : totp.counter({ timestamp: now }) + delta
}

/** Codes for when the app is lost, in groups of four. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const code = codeOf(RECOVERY_CHARS)
    return Array.from({ length: RECOVERY_CHARS / RECOVERY_GROUP }, (_, group) =>
      code.slice(group * RECOVERY_GROUP, (group + 1) * RECOVERY_GROUP),
    ).join('-')
  })
}

/** A code as it was typed, without what is for the eye. */
export function normalCode(typed: string): string {
  return typed.replace(/[\s-]/g, '').toUpperCase()
}

export function isTotpCode(normal: string): boolean {
  return /^\d{6}$/.test(normal)
}

/** What is stored of a recovery code; bound to its user. */
export function recoveryHash(userId: number, typed: string): string {
  return sha256Hex(`recovery:${userId}:${normalCode(typed)}`)
}
