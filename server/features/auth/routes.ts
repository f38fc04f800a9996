import { deleteSession, listSessions, logout, passwordLogin } from '../../../contract/api/auth.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { PasswordLogin } from './login.ts'
import { browserOf, endSession, sessionsOf } from './service.ts'

/** Signing in and out, and the sessions that are open. */
export function authRoutes(deps: Deps): Route[] {
  const password = new PasswordLogin(deps)
  return [
    bind(passwordLogin, (call) => password.login(call.body, browserOf(call))),
    bind(logout, async ({ caller }) => {
      await endSession(deps, caller, caller.sessionId)
      return { message: 'Signed out' }
    }),
    bind(listSessions, ({ caller }) => sessionsOf(deps, caller.userId, caller.sessionId)),
    bind(deleteSession, async ({ caller, params }) => {
      await endSession(deps, caller, params.id)
      return { message: params.id === 'others' ? 'Other sessions ended' : 'Session ended' }
    }),
  ]
}
