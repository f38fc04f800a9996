import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { hashPassword, verifyPassword } from '../../lib/passwords.ts'
import { RateLimiter } from '../../lib/rate-limit.ts'
import { countAttempt, forgetAttempts, GUESSES } from '../attempts/service.ts'
import { recordAudit } from '../audit/service.ts'
import { checkCode, requireMail, sendCode, spendCode } from '../mail-codes/service.ts'
import { queueMail } from '../mail/service.ts'
import { writeMail, type MailLanguage } from '../mail/templates.ts'
import { checkEmail, checkPassword } from '../setup/service.ts'
import { setupRequired } from '../setup/state.ts'
import { requireUser, setPassword, userByEmail, type UserRow } from '../users/service.ts'
import { requireCaptcha } from './captcha.ts'
import { guessKey } from './login.ts'
import { endAllSessions, type Browser } from './service.ts'

/** A minute, as for registration (contract.md 3.3 LATER). */
const RESETS_PER_IP = 5
/** A notice that comes a day late helps nobody. */
const NOTICE_MS = 24 * 60 * 60_000

interface From {
  browser: Browser
  hostname: string
  language: MailLanguage
}

interface NewPassword {
  user: UserRow
  password: string
  /** The mail code that proves it, or nothing: the old password did. */
  code: { id: number; email: string; purpose: 'password_change' | 'password_reset' } | undefined
}

/** Changing a password that is known, and setting a new one where it is forgotten; one for the process, because it counts. */
export class Passwords {
  readonly #deps: Deps
  readonly #resets: RateLimiter

  constructor(deps: Deps) {
    this.#deps = deps
    this.#resets = new RateLimiter(deps.clock)
  }

  /** How the caller changes his password (contract.md 3.6). */
  async method(userId: number): Promise<{ method: 'email_code' | 'current_password'; email: string; password_set: boolean }> {
    const user = await requireUser(this.#deps.db.query, userId)
    return {
      method: this.#deps.mailer.configured() ? 'email_code' : 'current_password',
      email: user.email,
      password_set: user.password_hash !== null,
    }
  }

  /** @throws AppError smtp_unset | too_many_requests */
  async sendChangeCode(userId: number, language: MailLanguage): Promise<void> {
    requireMail(this.#deps)
    const { email } = await requireUser(this.#deps.db.query, userId)
    await sendCode(this.#deps, { email: checkEmail(email), purpose: 'password_change', language, send: 'code' })
  }

  /**
   * Where mail works a code is needed, elsewhere the current password; both take only so many tries (W55). Every session
   * of the account ends.
   * @throws AppError bad_request | code_invalid | password_unset | password_current_required | password_current_wrong | too_many_requests
   */
  async change(
    userId: number,
    input: { new_password: string; email_code: string; current_password: string },
    from: Omit<From, 'hostname'>,
  ): Promise<void> {
    const deps = this.#deps
    checkNew(input.new_password)
    const user = await requireUser(deps.db.query, userId)
    if (deps.mailer.configured()) {
      const wanted = { email: user.email, purpose: 'password_change' } as const
      const id = await checkCode(deps, { ...wanted, code: input.email_code })
      return this.#set({ user, password: input.new_password, code: { id, ...wanted } }, from)
    }
    if (user.password_hash === null) throw new AppError('password_unset')
    if (input.current_password === '') throw new AppError('password_current_required')
    await countAttempt(deps, guessKey(user.id), GUESSES)
    if (!(await verifyPassword(input.current_password, user.password_hash))) throw new AppError('password_current_wrong')
    return this.#set({ user, password: input.new_password, code: undefined }, from)
  }

  /**
   * Sends a code to the address if it has an account; the answer, the time and the limits are the same if not (W21).
   * @throws AppError setup_required | login_disabled | smtp_unset | captcha_* | bad_request | too_many_requests
   */
  async sendResetCode(input: { email: string; captcha_token?: string | null | undefined }, from: From): Promise<void> {
    const deps = this.#deps
    await this.#open(from.browser.ip)
    await requireCaptcha(deps, input.captcha_token, from.hostname)
    const email = checkEmail(input.email)
    const user = await userByEmail(deps.db.query, email)
    const send = user && user.disabled_at === null ? 'code' : 'nothing'
    await sendCode(deps, { email, purpose: 'password_reset', language: from.language, send })
  }

  /**
   * Sets a new password for who has the code; does not sign in. Every session of the account ends.
   * @throws AppError setup_required | login_disabled | smtp_unset | bad_request | code_invalid | too_many_requests
   */
  async reset(input: { email: string; email_code: string; new_password: string }, from: Omit<From, 'hostname'>): Promise<void> {
    const deps = this.#deps
    await this.#open(from.browser.ip)
    const email = checkEmail(input.email)
    checkNew(input.new_password)
    const wanted = { email, purpose: 'password_reset' } as const
    const id = await checkCode(deps, { ...wanted, code: input.email_code })
    const user = await userByEmail(deps.db.query, email)
    if (!user || user.disabled_at !== null) throw new AppError('code_invalid')
    return this.#set({ user, password: input.new_password, code: { id, ...wanted } }, from)
  }

  async #open(ip: string): Promise<void> {
    const deps = this.#deps
    if (await setupRequired(deps)) throw new AppError('setup_required')
    if (!deps.settings.bool('password_login_enabled')) throw new AppError('login_disabled')
    requireMail(deps)
    const wait = this.#resets.take(ip, RESETS_PER_IP)
    if (wait > 0) throw new AppError('too_many_requests', { retryAfterSeconds: wait })
  }

  async #set({ user, password, code }: NewPassword, { browser, language }: Omit<From, 'hostname'>): Promise<void> {
    const deps = this.#deps
    const passwordHash = await hashPassword(password)
    const now = deps.clock.now()
    const site = deps.settings.text('site_name')
    await deps.db.query.transaction().execute(async (tx) => {
      if (code) await spendCode(tx, code.id, code, now)
      await setPassword(tx, user.id, { passwordHash, emailVerified: code !== undefined }, now)
      await endAllSessions(tx, user.id, now)
      await forgetAttempts(tx, guessKey(user.id))
      await recordAudit(tx, {
        actorUserId: user.id,
        action: code?.purpose ?? 'password_change',
        objectType: 'user',
        objectId: user.id,
        ip: browser.ip,
        now,
      })
      if (deps.mailer.configured()) {
        const mail = writeMail(user.email, site, language, { kind: 'password_changed' })
        await queueMail(tx, deps, { kind: 'password_changed', mail, deadlineAt: now + NOTICE_MS, deliver: true })
      }
    })
    await deps.changes.publish({ type: 'user', userId: user.id })
  }
}

/** @throws AppError bad_request with the contract's text */
function checkNew(password: string): void {
  try {
    checkPassword(password)
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause
    throw new AppError('bad_request', { message: `new ${cause.message}`, param: 'new_password', cause })
  }
}
