import { AppError } from '../../../contract/errors.ts'
import type { BareUserWire } from '../../../contract/api/users.ts'
import type { Deps } from '../../http/deps.ts'
import { hashPassword, needsRehash, verifyPassword } from '../../lib/passwords.ts'
import { RateLimiter } from '../../lib/rate-limit.ts'
import { setupRequired } from '../setup/state.ts'
import { upgradePasswordHash, userByIdentifier } from '../users/service.ts'
import { signIn, type Browser } from './service.ts'

/** Tries a minute (contract.md 3.3 LATER): a household behind one address, and one person who mistypes. */
const TRIES_PER_IP = 15
const TRIES_PER_IDENTIFIER = 5

export interface LoginInput {
  identifier: string
  password: string
}

/** Password sign-in with its limits; one for the whole process, because it counts. */
export class PasswordLogin {
  readonly #deps: Deps
  readonly #byIp: RateLimiter
  readonly #byIdentifier: RateLimiter

  constructor(deps: Deps) {
    this.#deps = deps
    this.#byIp = new RateLimiter(deps.clock)
    this.#byIdentifier = new RateLimiter(deps.clock)
  }

  /**
   * Unknown users, wrong passwords and accounts without a password get the same answer after the same work (W20, W21).
   * @throws AppError setup_required | login_disabled | too_many_requests | login_failed | account_disabled
   */
  async login(input: LoginInput, browser: Browser): Promise<{ token: string; user: BareUserWire }> {
    const deps = this.#deps
    if (await setupRequired(deps)) throw new AppError('setup_required')
    if (!deps.settings.bool('password_login_enabled')) throw new AppError('login_disabled')
    const identifier = input.identifier.trim()
    if (identifier === '' || input.password === '')
      throw new AppError('bad_request', { message: 'username/email and password are required' })
    this.#limit(browser.ip, identifier)
    const user = await userByIdentifier(deps.db.query, identifier)
    const hash = user?.password_hash ?? null
    const matches = await verifyPassword(input.password, hash)
    if (!user || hash === null || !matches) throw new AppError('login_failed')
    if (user.disabled_at !== null) throw new AppError('account_disabled')
    if (needsRehash(hash)) await upgradePasswordHash(deps, user.id, await hashPassword(input.password))
    return signIn(deps, user, browser)
  }

  #limit(ip: string, identifier: string): void {
    const wait = this.#byIp.take(ip, TRIES_PER_IP) || this.#byIdentifier.take(identifier.toLowerCase(), TRIES_PER_IDENTIFIER)
    if (wait > 0) throw new AppError('too_many_requests', { retryAfterSeconds: wait })
  }
}
