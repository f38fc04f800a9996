/** OWASP's first choice for argon2id: 19 MiB, 2 passes (Password Storage Cheat Sheet). */
const ARGON2 = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const
/** Beyond this bcrypt, which imported accounts use, ignores the rest; refused so that both hashes mean the same. */
export const MAX_PASSWORD_BYTES = 72
export const MIN_PASSWORD_BYTES = 8

let decoy: Promise<string> | undefined

/** Hashes with argon2id in a worker thread. */
export function hashPassword(password: string): Promise<string> {
  return Bun.password.hash(password, ARGON2)
}

/**
 * Verifies argon2id and bcrypt hashes. Without a hash (unknown user, account without password) the same work is done
 * on a decoy, so that timing tells nothing (W21).
 */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  if (hash === null) {
    decoy ??= hashPassword('a password nobody has')
    await Bun.password.verify(password, await decoy)
    return false
  }
  return Bun.password.verify(password, hash)
}

/** True for a hash of another method (bcrypt of an imported account): hash again at the next sign-in. */
export function needsRehash(hash: string): boolean {
  return !hash.startsWith('$argon2id$')
}
