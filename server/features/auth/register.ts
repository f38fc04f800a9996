import { AppError } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import type { Role } from '../../http/caller.ts'
import type { Deps } from '../../http/deps.ts'
import { isUniqueViolation } from '../../http/errors.ts'
import { hashPassword } from '../../lib/passwords.ts'
import { RateLimiter } from '../../lib/rate-limit.ts'
import { recordAudit } from '../audit/service.ts'
import { checkCode, requireMail, sendCode, spendCode } from '../mail-codes/service.ts'
import type { MailLanguage } from '../mail/templates.ts'
import { checkEmail, checkNames, checkPassword } from '../setup/service.ts'
import { setupRequired } from '../setup/state.ts'
import { createUser, referrerOf, userByEmail, type UserRow } from '../users/service.ts'
import { requireCaptcha } from './captcha.ts'
import { openSession, signedInAs, type Browser, type SignedIn } from './service.ts'

/** A minute (contract.md 3.3 LATER): a household behind one address, and one person who mistypes. */
const TRIES_PER_IP = 5
const TRIES_PER_EMAIL = 3

export interface RegisterInput {
  username: string
  email: string
  password: string
  email_code: string
  captcha_token?: string | null | undefined
  /** From the form, else from the cookie of the link. */
  referral_code: string
}

interface From {
  browser: Browser
  /** The site's name, for the captcha. */
  hostname: string
  language: MailLanguage
}

/** Registration with a password, and the code that proves an address before it; one for the process, because it counts. */
export class Registration {
  readonly #deps: Deps
  readonly #codes: RateLimiter
  readonly #registrations: RateLimiter

  constructor(deps: Deps) {
    this.#deps = deps
    this.#codes = new RateLimiter(deps.clock)
    this.#registrations = new RateLimiter(deps.clock)
  }

  /**
   * Sends a code to an address; one that has an account is told so by mail, and the answer is the same (W21).
   * @throws AppError setup_required | registration_disabled | captcha_* | bad_request | smtp_unset | email_domain | too_many_requests
   */
  async sendCode(input: { email: string; captcha_token?: string | null | undefined }, from: From): Promise<void> {
    const deps = this.#deps
    await this.#open()
    requireMail(deps)
    limit(this.#codes, from.browser.ip, input.email)
    await requireCaptcha(deps, input.captcha_token, from.hostname)
    const email = checkEmail(input.email)
    requireDomain(deps, email)
    const known = await userByEmail(deps.db.query, email)
    await sendCode(deps, { email, purpose: 'registration', language: from.language, send: known ? 'account_exists' : 'code' })
  }

  /**
   * Makes the account and signs it in. Code, user, membership, account and session are one transaction (W24).
   * @throws AppError setup_required | registration_disabled | captcha_* | bad_request | email_domain | code_invalid |
   * username_taken | email_taken | too_many_requests
   */
  async register(input: RegisterInput, from: From): Promise<SignedIn> {
    const deps = this.#deps
    await this.#open()
    limit(this.#registrations, from.browser.ip, input.email)
    const codeRequired = deps.settings.bool('email_verification_required')
    // A captcha is solved once: who has a code solved it to get the code, and is asked for the code instead (W23).
    const codeProvesCaptcha = deps.settings.bool('password_hcaptcha_enabled') && input.email_code.trim() !== ''
    if (!codeProvesCaptcha) await requireCaptcha(deps, input.captcha_token, from.hostname)
    const names = checkNames(input)
    checkPassword(input.password)
    requireDomain(deps, names.email)
    const wanted = { email: names.email, purpose: 'registration' } as const
    const codeId = codeRequired || codeProvesCaptcha ? await checkCode(deps, { ...wanted, code: input.email_code }) : undefined
    const passwordHash = await hashPassword(input.password)
    const emailVerified = codeId !== undefined
    const now = deps.clock.now()
    const { user, sessionId } = await this.#unique(names, async (tx) => {
      if (codeId !== undefined) await spendCode(tx, codeId, wanted, now)
      const referrerId = deps.settings.bool('referral_enabled') ? await referrerOf(tx, input.referral_code) : null
      const role: Role = isBootstrapAdmin(deps, { email: names.email, emailVerified, oidcSub: undefined }) ? 'admin' : 'user'
      const user = await createUser(tx, { ...names, emailVerified, passwordHash, role, referrerId }, now)
      if (role === 'admin') await auditBootstrap(tx, user, from.browser.ip, now)
      return { user, sessionId: await openSession(tx, user.id, from.browser, now) }
    })
    return signedInAs(deps, user, sessionId, now)
  }

  async #open(): Promise<void> {
    if (await setupRequired(this.#deps)) throw new AppError('setup_required')
    if (!this.#deps.settings.bool('password_registration_enabled')) throw new AppError('registration_disabled')
  }

  /** Runs the transaction; who loses the race for a name or address hears the same as who comes late. */
  async #unique<T>({ email }: { email: string }, work: (tx: Database['query']) => Promise<T>): Promise<T> {
    const db = this.#deps.db.query
    try {
      return await db.transaction().execute(work)
    } catch (cause) {
      if (!isUniqueViolation(cause)) throw cause
      throw new AppError((await userByEmail(db, email)) ? 'email_taken' : 'username_taken', { cause })
    }
  }
}

/** Whether the environment names this identity an administrator: by a proven address or subject only (W22). */
export function isBootstrapAdmin(
  deps: Pick<Deps, 'bootstrapAdmins'>,
  who: { email: string; emailVerified: boolean; oidcSub: string | undefined },
): boolean {
  const { emails, oidcSubs } = deps.bootstrapAdmins
  return (who.emailVerified && emails.includes(who.email)) || (who.oidcSub !== undefined && oidcSubs.includes(who.oidcSub))
}

/** The row of an administrator that nobody made but the environment. */
export function auditBootstrap(tx: Database['query'], user: Pick<UserRow, 'id' | 'username' | 'email'>, ip: string, now: number) {
  return recordAudit(tx, {
    actorUserId: null,
    action: 'bootstrap_admin',
    objectType: 'user',
    objectId: user.id,
    after: { username: user.username, email: user.email, role: 'admin' },
    ip,
    now,
  })
}

function limit(limiter: RateLimiter, ip: string, email: string): void {
  const wait = limiter.take(`ip ${ip}`, TRIES_PER_IP) || limiter.take(`email ${email.trim().toLowerCase()}`, TRIES_PER_EMAIL)
  if (wait > 0) throw new AppError('too_many_requests', { retryAfterSeconds: wait })
}

/** @throws AppError email_domain for a domain that may not register */
export function requireDomain(deps: Pick<Deps, 'settings'>, email: string): void {
  const allowed = deps.settings
    .text('registration_email_suffixes')
    .toLowerCase()
    .split(/[\s,;，；]+/)
    .map((entry) => entry.replace(/^(\*\.|@|\.)/, ''))
    .filter((entry) => entry !== '')
  const domain = email.slice(email.lastIndexOf('@') + 1)
  if (allowed.length > 0 && !allowed.some((entry) => domain === entry || domain.endsWith(`.${entry}`))) throw new AppError('email_domain')
}
