import * as api from '../../../contract/api/second-factor.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { browserOf } from '../auth/service.ts'
import { beginTotp, confirmTotp, disableTotp, renewRecoveryCodes, stateOf } from './service.ts'
import { completeSignIn } from './sign-in.ts'

/** The second factor of password sign-ins. */
export function secondFactorRoutes(deps: Deps): Route[] {
  const actor = (call: { caller: { userId: number }; ip: string }) => ({ userId: call.caller.userId, ip: call.ip })
  return [
    bind(api.secondFactorLogin, (call) => completeSignIn(deps, call.body, browserOf(call))),
    bind(api.secondFactorState, ({ caller }) => stateOf(deps, caller.userId)),
    bind(api.beginTotp, ({ caller }) => beginTotp(deps, caller.userId)),
    bind(api.confirmTotp, async (call) => ({ recovery_codes: await confirmTotp(deps, actor(call), call.body.code) })),
    bind(api.disableTotp, async (call) => {
      await disableTotp(deps, actor(call))
      return { message: 'Second factor switched off' }
    }),
    bind(api.newRecoveryCodes, async (call) => ({ recovery_codes: await renewRecoveryCodes(deps, actor(call)) })),
  ]
}
