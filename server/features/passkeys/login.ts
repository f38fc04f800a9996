import { createHmac } from 'node:crypto'
import type { Assertion, RequestOptions } from '../../../contract/api/passkeys.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { RateLimiter } from '../../lib/rate-limit.ts'
import { deriveKey } from '../../lib/secret-box.ts'
import { recordAudit } from '../audit/service.ts'
import { signIn, type Browser, type SignedIn } from '../auth/service.ts'
import { setupRequired } from '../setup/state.ts'
import { requireUser, userByIdentifier } from '../users/service.ts'
import { proveAssertion, requestOptionsOf, type From } from './ceremony.ts'
import { credentialIdsOf, requireEnabled } from './service.ts'

/**
 * A minute and address. A signature cannot be guessed, so this does not guard accounts; it bounds how many challenges
 * one address can make us keep for five minutes, and how much verifying it can make us do. An office behind one address
 * that comes to work in the same minute passes.
 */
const OPTIONS_PER_IP = 120
const LOGINS_PER_IP = 300

/** Sign-in with a passkey; one for the process, because it counts. */
export class PasskeyLogin {
  readonly #deps: Deps
  readonly #options: RateLimiter
  readonly #logins: RateLimiter
  readonly #decoys: Buffer

  constructor(deps: Deps) {
    this.#deps = deps
    this.#options = new RateLimiter(deps.clock)
    this.#logins = new RateLimiter(deps.clock)
    this.#decoys = deriveKey(deps.jwtSecret, 'passkey-decoy')
  }

  /**
   * With a name: that account's passkeys. A name without an account, or without passkeys, gets one that does not exist,
   * always the same, so that the answer tells nobody who is registered here (W21).
   * @throws AppError setup_required | passkey_disabled | passkey_rp_unset | too_many_requests
   */
  async options(identifier: string, from: From): Promise<RequestOptions> {
    const deps = this.#deps
    await this.#open(this.#options, from.ip, OPTIONS_PER_IP)
    const name = identifier.trim()
    if (name === '') return requestOptionsOf(deps, 'passkey_login', 'anybody', from, [])
    const userId = (await userByIdentifier(deps.db.query, name))?.id ?? 0
    const ids = await credentialIdsOf(deps.db.query, userId)
    return ids.length > 0
      ? requestOptionsOf(deps, 'passkey_login', { userId }, from, ids)
      : requestOptionsOf(deps, 'passkey_login', 'nobody', from, [this.#decoy(name)])
  }

  /** @throws AppError setup_required | passkey_* | account_disabled | too_many_requests */
  async login(answer: Assertion, browser: Browser): Promise<SignedIn> {
    const deps = this.#deps
    await this.#open(this.#logins, browser.ip, LOGINS_PER_IP)
    try {
      const { passkey, store } = await proveAssertion(deps, 'passkey_login', answer)
      const user = await requireUser(deps.db.query, passkey.user_id)
      return await signIn(deps, user, browser, (tx) => store(tx, deps.clock.now()))
    } catch (error) {
      // A copied authenticator shows here and nowhere else: its owner and the site must be able to find it.
      if (error instanceof AppError && error.code === 'passkey_counter') await this.#recordCopy(answer.rawId, browser.ip)
      throw error
    }
  }

  async #open(limiter: RateLimiter, ip: string, limit: number): Promise<void> {
    if (await setupRequired(this.#deps)) throw new AppError('setup_required')
    requireEnabled(this.#deps)
    const wait = limiter.take(ip, limit)
    if (wait > 0) throw new AppError('too_many_requests', { retryAfterSeconds: wait })
  }

  #decoy(name: string): string {
    return createHmac('sha256', this.#decoys).update(name.toLowerCase()).digest('base64url')
  }

  async #recordCopy(credentialId: string, ip: string): Promise<void> {
    const entry = { actorUserId: null, action: 'refuse', objectType: 'passkey', objectId: credentialId }
    await recordAudit(this.#deps.db.query, { ...entry, after: { reason: 'passkey_counter' }, ip, now: this.#deps.clock.now() })
  }
}
