import {
  deletePasskey as deleteEndpoint,
  listPasskeys,
  passkeyLogin,
  passkeyLoginOptions,
  passkeyRegisterOptions,
  registerPasskey as registerEndpoint,
  renamePasskey as renameEndpoint,
} from '../../../contract/api/passkeys.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { browserOf } from '../auth/service.ts'
import { PasskeyLogin } from './login.ts'
import { deletePasskey, passkeysOf, registerPasskey, registrationOptions, renamePasskey } from './service.ts'

/** Signing in with passkeys, and a user's own ones. */
export function passkeysRoutes(deps: Deps): Route[] {
  const login = new PasskeyLogin(deps)
  return [
    bind(passkeyLoginOptions, async (call) => ({ publicKey: await login.options(call.body.identifier ?? '', call) })),
    bind(passkeyLogin, (call) => login.login(call.body, browserOf(call))),
    bind(listPasskeys, ({ caller }) => passkeysOf(deps, caller.userId)),
    bind(passkeyRegisterOptions, async (call) => ({ publicKey: await registrationOptions(deps, call.caller.userId, call) })),
    bind(registerEndpoint, (call) => registerPasskey(deps, call, call.body)),
    bind(renameEndpoint, (call) => renamePasskey(deps, call, call.params.id, call.body.name)),
    bind(deleteEndpoint, async (call) => {
      await deletePasskey(deps, call, call.params.id)
      return { message: 'Passkey deleted' }
    }),
  ]
}
