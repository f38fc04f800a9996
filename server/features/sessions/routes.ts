import * as api from '../../../contract/api/second-factor.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { reauth, reauthOptions } from './reauth.ts'

/** Proving again who sits before an open session. */
export function sessionsRoutes(deps: Deps): Route[] {
  return [
    bind(api.reauthOptions, (call) => reauthOptions(deps, call.caller, call)),
    bind(api.reauth, (call) => reauth(deps, call.caller, call.ip, call.body)),
  ]
}
