import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { hashPassword, needsRehash, verifyPassword } from '../../lib/passwords.ts'
import { RateLimiter } from '../../lib/rate-limit.ts'
import { countAttempt, forgetAttempts, GUESSES } from '../attempts/service.ts'
import { askSecondFactor } from '../second-factor/sign-in.ts'
import { setupRequired } from '../setup/state.ts'
import { confirmPasswordHash, userByIdentifier } from '../users/service.ts'
import { requireCaptcha } from './captcha.ts'
import { signIn, type Browser, type SignedIn } from './service.ts'

/** Tries a minute (contract.md 3.3 LATER): a household behind one address, and one person who mistypes. */
const TRIES_PER_IP = 15
const TRIES_PER_IDENTIFIER = 5

export interface LoginInput {
  identifier: string
  password: string
  captcha_token?: string | null | undefined
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
   * @throws AppError setup_required | login_disabled | captcha_* | too_many_requests | login_failed | second_factor_required | account_disabled
   */
  async login(input: LoginInput, from: { browser: Browser; hostname: string }): Promise<SignedIn> {
    const deps = this.#deps
    if (await setupRequired(deps)) throw new AppError('setup_required')
    if (!deps.settings.bool('password_login_enabled')) throw new AppError('login_disabled')
    const identifier = input.identifier.trim()
    this.#limit(from.browser.ip, identifier)
    await requireCaptcha(deps, input.captcha_token, from.hostname)
    if (identifier === '' || input.password === '')
      throw new AppError('bad_request', { message: 'username/email and password are required' })
    const user = await userByIdentifier(deps.db.query, identifier)
    // Whatever names it goes by, an account takes so many guesses; a name without an account takes as many.
    const guesses = guessKey(user ? user.id : identifier.toLowerCase())
    await countAttempt(deps, guesses, GUESSES)
    const hash = user?.password_hash ?? null
    const matches = await verifyPassword(input.password, hash)
    if (!user || hash === null || !matches) throw new AppError('login_failed')
    await askSecondFactor(deps, user.id)
    const better = needsRehash(hash) ? await hashPassword(input.password) : hash
    return signIn(deps, user, from.browser, async (tx) => {
      await confirmPasswordHash(tx, user.id, hash, better)
      await forgetAttempts(tx, guesses)
    })
  }

  #limit(ip: string, identifier: string): void {
    const wait = this.#byIp.take(ip, TRIES_PER_IP) || this.#byIdentifier.take(identifier.toLowerCase(), TRIES_PER_IDENTIFIER)
    if (wait > 0) throw new AppError('too_many_requests', { retryAfterSeconds: wait })
  }
}

/** Under what the guesses at a password are counted, by account id or, where there is none, by the name that was tried. */
export function guessKey(account: number | string): string {
  return `password:${typeof account}:${account}`
}
