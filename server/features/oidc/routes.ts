import { oidcBindUrl, oidcCallback, oidcLogin, oidcUnbind } from '../../../contract/api/oidc.ts'
import { AppError } from '../../../contract/errors.ts'
import { bind, type Call, type Route } from '../../http/bind.ts'
import { cookieOf } from '../../http/cookies.ts'
import type { Deps } from '../../http/deps.ts'
import { asAppError } from '../../http/errors.ts'
import { describeError } from '../../lib/log.ts'
import { clearedReferralCookie, REFERRAL_COOKIE } from '../auth/referral-cookie.ts'
import { browserOf } from '../auth/service.ts'
import { unbindIdentity } from './account.ts'
import { FLOW_SECONDS, OidcFlow } from './flow.ts'

/** Contract.md 3.3; `Lax`, because the browser comes back from another site. */
const STATE_COOKIE = 'flai_oidc_state'
const ATTRIBUTES = 'Path=/auth; HttpOnly; SameSite=Lax'
const REFERRAL_SECONDS = 30 * 86_400

/** Signing in at an identity provider, and connecting an account to one. */
export function oidcRoutes(deps: Deps): Route[] {
  const flow = new OidcFlow(deps)
  const cookie = (name: string, value: string, seconds: number): string =>
    `${name}=${value}; Max-Age=${seconds}; ${ATTRIBUTES}${flow.secure ? '; Secure' : ''}`

  /** Somebody's browser gets the sign-in page with the error's code instead of bare JSON; other clients get the contract's answer. */
  const navigate = async ({ request, http }: Pick<Call<typeof oidcLogin>, 'request' | 'http'>, work: () => Promise<string>) => {
    // Hono's own redirect, because it takes the cookies along.
    const redirect = (location: string): Response => {
      http.header('cache-control', 'no-store')
      return http.redirect(location, 302)
    }
    try {
      return redirect(await work())
    } catch (error) {
      if (!(request.headers.get('accept') ?? '').includes('text/html')) throw error
      const failure = asAppError(error)
      deps.log.warn('a sign-in at the identity provider failed', { code: failure.code, cause: describeError(failure.cause ?? failure) })
      return redirect(`/login?error=${failure.code}`)
    }
  }

  return [
    bind(oidcLogin, (call) =>
      navigate(call, async () => {
        const { ip, query, http } = call
        const { url, state } = await flow.begin({ bind: undefined }, ip)
        http.header('set-cookie', cookie(STATE_COOKIE, state, FLOW_SECONDS), { append: true })
        const code = query.ref.replace(/[^A-Za-z0-9-]/g, '')
        if (code !== '') http.header('set-cookie', cookie(REFERRAL_COOKIE, code, REFERRAL_SECONDS), { append: true })
        return url
      }),
    ),
    bind(oidcCallback, (call) =>
      navigate(call, async () => {
        const { request, query, http } = call
        http.header('set-cookie', `${STATE_COOKIE}=; Max-Age=0; ${ATTRIBUTES}`, { append: true })
        const back = {
          ...query,
          search: new URL(request.url).search.slice(1),
          cookie: cookieOf(request, STATE_COOKIE),
          referralCode: cookieOf(request, REFERRAL_COOKIE) ?? '',
        }
        const { token } = await flow.finish(back, browserOf(call))
        http.header('set-cookie', clearedReferralCookie, { append: true })
        // In the fragment, which neither servers nor referrers see (W31).
        return `/dashboard#token=${token}`
      }),
    ),
    bind(oidcBindUrl, async ({ caller, ip, http }) => {
      const { url, state } = await flow.begin({ bind: { userId: caller.userId, sessionId: caller.sessionId } }, ip).catch(bindError)
      http.header('set-cookie', cookie(STATE_COOKIE, state, FLOW_SECONDS), { append: true })
      return { auth_url: url }
    }),
    bind(oidcUnbind, async ({ caller, ip }) => {
      const now = deps.clock.now()
      await deps.db.query.transaction().execute((tx) => unbindIdentity(tx, caller.userId, { ip, now }))
      return { message: 'Disconnected' }
    }),
  ]
}

/** A site without a provider has nothing to connect to: 400 with the text that `/auth/login` has with 503. */
function bindError(error: unknown): never {
  if (error instanceof AppError && (error.code === 'oidc_disabled' || error.code === 'oidc_unset'))
    throw new AppError('oidc_bind_unset', { message: error.message, cause: error })
  throw error
}
