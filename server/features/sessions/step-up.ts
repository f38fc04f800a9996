import { AppError } from '../../../contract/errors.ts'
import type { ReauthMethod } from '../../../contract/api/second-factor.ts'
import type { StepUp } from '../../../contract/endpoint.ts'
import type { Caller } from '../../http/caller.ts'
import type { Deps } from '../../http/deps.ts'
import { credentialIdsOf } from '../passkeys/service.ts'
import { hasTotp } from '../second-factor/service.ts'
import { requireUser } from '../users/service.ts'

const MINUTE_MS = 60_000

type StepUpDeps = Pick<Deps, 'db' | 'clock' | 'settings'>

/** Until when what a session proved last counts as fresh; epoch milliseconds. */
export function freshUntil(deps: Pick<Deps, 'settings'>, verifiedAt: number): number {
  return verifiedAt + deps.settings.integer('step_up_minutes') * MINUTE_MS
}

/** How a user can prove again that it is he; with an authenticator app the password alone is too little. None: by signing in again. */
export async function reauthMethods(deps: Pick<Deps, 'db'>, userId: number): Promise<ReauthMethod[]> {
  const [totp, passkeys] = [await hasTotp(deps, userId), await credentialIdsOf(deps.db.query, userId)]
  const { password_hash: hash } = await requireUser(deps.db.query, userId)
  const methods: ReauthMethod[] = []
  if (passkeys.length > 0) methods.push('passkey')
  if (totp) methods.push('code')
  else if (hash !== null) methods.push('password')
  return methods
}

/**
 * The guard of what must not be done from a browser somebody left open. `always` is for the keys of the account itself;
 * `site` for the accounts that the setting `step_up_accounts` names: by default those with an authenticator app, so that
 * clients that know nothing of this go on working.
 * @throws AppError step_up_required, with the methods and where to use them
 */
export async function requireFresh(deps: StepUpDeps, caller: Caller, kind: StepUp): Promise<void> {
  if (deps.clock.now() < freshUntil(deps, caller.verifiedAt)) return
  if (kind === 'site' && !(await isCovered(deps, caller.userId))) return
  const methods = await reauthMethods(deps, caller.userId)
  throw new AppError('step_up_required', { details: { methods, options: '/api/user/reauth/options', confirm: '/api/user/reauth' } })
}

async function isCovered(deps: StepUpDeps, userId: number): Promise<boolean> {
  const accounts = deps.settings.text('step_up_accounts')
  if (accounts === 'everyone') return true
  if (accounts === 'nobody') return false
  if (await hasTotp(deps, userId)) return true
  return accounts === 'second_factor' && (await credentialIdsOf(deps.db.query, userId)).length > 0
}
