import { readToken, storeToken } from '../../api/session.ts'
import { referralCode } from './referral.ts'

/** When this tab went to the identity provider. */
const STARTED = 'tollgate.oidc'
/** As long as the server waits for the browser to come back. */
const FLOW_MS = 10 * 60_000

/** Sends this tab to the identity provider. */
export function goToProvider(): void {
  sessionStorage.setItem(STARTED, String(Date.now()))
  const code = referralCode()
  location.assign(`/auth/login${code === '' ? '' : `?ref=${encodeURIComponent(code)}`}`)
}

/**
 * Takes the session out of `#token=`, and out of the address bar. Only a tab that went to the provider itself may bring
 * one back: a link with somebody else's token signs nobody in (login CSRF).
 */
export function takeReturn(): void {
  const token = /^#token=([\w.-]+)$/.exec(location.hash)?.[1]
  if (token === undefined) return
  const started = Number(sessionStorage.getItem(STARTED) ?? Number.NaN)
  sessionStorage.removeItem(STARTED)
  const own = Date.now() - started < FLOW_MS
  if (own) storeToken(token)
  history.replaceState(null, '', own || readToken() !== undefined ? location.pathname + location.search : '/login?error=oidc_state')
}
