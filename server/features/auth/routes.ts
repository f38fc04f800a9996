import {
  changePassword,
  deleteSession,
  listSessions,
  logout,
  passwordCode,
  passwordLogin,
  passwordMethod,
  register,
  registrationCode,
  resetCode,
  resetPassword,
} from '../../../contract/api/auth.ts'
import { bind, type Route } from '../../http/bind.ts'
import { cookieOf } from '../../http/cookies.ts'
import type { Deps } from '../../http/deps.ts'
import { mailLanguage } from '../mail/templates.ts'
import { siteHostname } from './captcha.ts'
import { PasswordLogin } from './login.ts'
import { Passwords } from './password.ts'
import { clearedReferralCookie, REFERRAL_COOKIE } from './referral-cookie.ts'
import { Registration } from './register.ts'
import { browserOf, endSession, sessionsOf } from './service.ts'

const SENT = { message: 'Verification code sent' }
const UPDATED = { message: 'Password updated' }

/** Signing in and out with a password, registration, passwords, and the sessions that are open. */
export function authRoutes(deps: Deps): Route[] {
  const login = new PasswordLogin(deps)
  const registration = new Registration(deps)
  const passwords = new Passwords(deps)
  const from = (call: { ip: string; request: Request }) => ({
    browser: browserOf(call),
    hostname: siteHostname(deps, call.request),
    language: mailLanguage(call.request.headers.get('accept-language')),
  })
  return [
    bind(passwordLogin, (call) => login.login(call.body, from(call))),
    bind(register, async (call) => {
      const code = call.body.referral_code || (cookieOf(call.request, REFERRAL_COOKIE) ?? '')
      const answer = await registration.register({ ...call.body, referral_code: code }, from(call))
      call.http.header('set-cookie', clearedReferralCookie)
      return answer
    }),
    bind(registrationCode, async (call) => {
      await registration.sendCode(call.body, from(call))
      return SENT
    }),
    bind(resetCode, async (call) => {
      await passwords.sendResetCode(call.body, from(call))
      return SENT
    }),
    bind(resetPassword, async (call) => {
      await passwords.reset(call.body, from(call))
      return UPDATED
    }),
    bind(passwordMethod, ({ caller }) => passwords.method(caller.userId)),
    bind(passwordCode, async (call) => {
      await passwords.sendChangeCode(call.caller.userId, from(call).language)
      return SENT
    }),
    bind(changePassword, async (call) => {
      await passwords.change(call.caller.userId, call.body, from(call))
      return UPDATED
    }),
    bind(logout, async ({ caller, ip }) => {
      await endSession(deps, caller, caller.sessionId, ip)
      return { message: 'Signed out' }
    }),
    bind(listSessions, ({ caller }) => sessionsOf(deps, caller.userId, caller.sessionId)),
    bind(deleteSession, async ({ caller, params, ip }) => {
      await endSession(deps, caller, params.id, ip)
      return { message: params.id === 'others' ? 'Other sessions ended' : 'Session ended' }
    }),
  ]
}
