import { timingSafeEqual } from 'node:crypto'
import { randomPKCECodeVerifier } from 'openid-client'
import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { randomToken, sha256Hex } from '../../lib/ids.ts'
import { RateLimiter } from '../../lib/rate-limit.ts'
import { sessionsOf, signIn, type Browser, type SignedIn } from '../auth/service.ts'
import { setupRequired } from '../setup/state.ts'
import { accountOfIdentity, bindIdentity } from './account.ts'
import { OidcProvider, type Checks } from './provider.ts'
import { deleteExpiredFlows, insertFlow, takeFlow } from './store.ts'

/** Ten minutes to sign in at the provider (contract.md 3.3). */
export const FLOW_SECONDS = 600
/** A minute and address (contract.md 3.3 LATER). */
const TRIES_PER_IP = 20
const SECRET_BYTES = 32
/** What the state of a sign-in under way is sealed for. */
export const OIDC_FLOW_PURPOSE = 'oidc-flow'

/** Who begins: somebody to be found out, or somebody signed in who connects his account. */
export type Beginner = { bind: undefined } | { bind: { userId: number; sessionId: string } }

interface StoredFlow extends Checks {
  /** Where the browser was sent: the answer of another provider is not for this sign-in (mix-up). */
  issuer: string
  /** The session that asked to connect; it must still be open when the browser comes back. */
  sessionId: string | undefined
}

export interface Begun {
  url: string
  state: string
}

/** The way of a browser to the identity provider and back; one for the process, because it counts and remembers. */
export class OidcFlow {
  readonly #deps: Deps
  readonly #provider: OidcProvider
  readonly #tries: RateLimiter

  constructor(deps: Deps) {
    this.#deps = deps
    this.#provider = new OidcProvider(deps)
    this.#tries = new RateLimiter(deps.clock)
  }

  /** Whether the browser's cookies may only travel over TLS: the address it comes back to decides. */
  get secure(): boolean {
    return this.#provider.config().redirectUrl.startsWith('https:')
  }

  /** @throws AppError setup_required | oidc_disabled | oidc_unset | oidc_unavailable | too_many_requests */
  async begin(who: Beginner, ip: string): Promise<Begun> {
    const deps = this.#deps
    if (await setupRequired(deps)) throw new AppError('setup_required')
    this.#limit(ip)
    const checks: Checks = { state: randomToken(SECRET_BYTES), nonce: randomToken(SECRET_BYTES), verifier: randomPKCECodeVerifier() }
    const url = await this.#provider.authorizationUrl(checks)
    const now = deps.clock.now()
    const flow: StoredFlow = { ...checks, issuer: this.#provider.config().issuer, sessionId: who.bind?.sessionId }
    await insertFlow(deps.db.query, {
      id: sha256Hex(checks.state),
      user_id: who.bind?.userId ?? null,
      sealed: deps.secrets.seal(OIDC_FLOW_PURPOSE, JSON.stringify(flow)),
      expires_at: now + FLOW_SECONDS * 1000,
      created_at: now,
    })
    return { url, state: checks.state }
  }

  /**
   * The browser is back. Its cookie must hold the state it brings (login CSRF), and each state works once.
   * @param search of the callback's address
   * @throws AppError setup_required | oidc_* | email_domain | account_disabled | too_many_requests
   */
  async finish(
    back: { search: string; code: string; state: string; error: string; cookie: string | undefined; referralCode: string },
    browser: Browser,
  ): Promise<SignedIn> {
    const deps = this.#deps
    if (await setupRequired(deps)) throw new AppError('setup_required')
    this.#limit(browser.ip)
    if (back.state === '' || back.cookie === undefined || !same(back.state, back.cookie)) throw new AppError('oidc_state')
    const row = await takeFlow(deps.db.query, sha256Hex(back.state))
    const now = deps.clock.now()
    if (!row || row.expires_at <= now) throw new AppError('oidc_state')
    if (back.error !== '') throw new AppError('oidc_denied')
    if (back.code === '') throw new AppError('oidc_code_missing')
    const flow = JSON.parse(deps.secrets.open(OIDC_FLOW_PURPOSE, row.sealed)) as StoredFlow
    if (flow.issuer !== this.#provider.config().issuer) throw new AppError('oidc_state')
    const who = await this.#provider.identityOf(back.search, flow)
    const at = { ip: browser.ip, now }
    const bindTo = row.user_id
    if (bindTo !== null && !(await sessionsOf(deps, bindTo)).some(({ id }) => id === flow.sessionId))
      throw new AppError('oidc_bind_missing')
    const user = await deps.db.query
      .transaction()
      .execute((tx) => (bindTo === null ? accountOfIdentity(tx, deps, who, back.referralCode, at) : bindIdentity(tx, bindTo, who, at)))
    await deps.changes.publish({ type: 'user', userId: user.id })
    return signIn(deps, user, browser)
  }

  #limit(ip: string): void {
    const wait = this.#tries.take(ip, TRIES_PER_IP)
    if (wait > 0) throw new AppError('too_many_requests', { retryAfterSeconds: wait })
  }
}

/** Drops sign-ins that were never finished. */
export function sweepFlows(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  return deleteExpiredFlows(deps.db.query, deps.clock.now())
}

function same(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
