import { jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { deriveKey } from '../../lib/secret-box.ts'

/** Seven days (contract.md 1.4). */
export const SESSION_SECONDS = 7 * 86_400
const ISSUER = 'tollgate'
const AUDIENCE = 'dashboard'

const claims = z.object({ id: z.int().positive(), is_admin: z.boolean(), jti: z.string().min(1).max(100), iat: z.int(), exp: z.number() })

export interface TokenClaims {
  userId: number
  sessionId: string
}

/** Signs and reads session tokens: HS256 with a key of this purpose only. */
export class SessionTokens {
  readonly #key: Buffer

  constructor(jwtSecret: string) {
    this.#key = deriveKey(jwtSecret, 'session')
  }

  /** A token for a session that begins at `now` (epoch milliseconds). */
  sign(session: { userId: number; isAdmin: boolean; sessionId: string }, now: number): Promise<string> {
    const seconds = Math.floor(now / 1000)
    return new SignJWT({ id: session.userId, is_admin: session.isAdmin })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setJti(session.sessionId)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + SESSION_SECONDS)
      .sign(this.#key)
  }

  /** @returns what the token says, or undefined when it is forged, expired or not one of ours */
  async verify(token: string, now: number): Promise<TokenClaims | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: ['HS256'],
        issuer: ISSUER,
        audience: AUDIENCE,
        currentDate: new Date(now),
        requiredClaims: ['exp', 'iat', 'jti', 'id', 'is_admin'],
      })
      const parsed = claims.safeParse(payload)
      // A token that lives longer than we ever give was not made by us, whoever has the key.
      if (!parsed.success || parsed.data.exp - parsed.data.iat > SESSION_SECONDS) return undefined
      return { userId: parsed.data.id, sessionId: parsed.data.jti }
    } catch {
      return undefined
    }
  }
}
