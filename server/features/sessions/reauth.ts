import type { Assertion, RequestOptions } from '../../../contract/api/passkeys.ts'
import type { ReauthMethod } from '../../../contract/api/second-factor.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import type { Caller } from '../../http/caller.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime } from '../../lib/clock.ts'
import { verifyPassword } from '../../lib/passwords.ts'
import { countAttempt, forgetAttempts, GUESSES } from '../attempts/service.ts'
import { recordAudit } from '../audit/service.ts'
import { guessKey } from '../auth/login.ts'
import { markVerified } from '../auth/service.ts'
import { proveAssertion, requestOptionsOf, type From } from '../passkeys/ceremony.ts'
import { credentialIdsOf, requireEnabled } from '../passkeys/service.ts'
import { proveCode } from '../second-factor/service.ts'
import { requireUser } from '../users/service.ts'
import { freshUntil, reauthMethods } from './step-up.ts'

export interface Proof {
  password?: string | null | undefined
  code?: string | null | undefined
  credential?: Assertion | null | undefined
}

/** What the caller can confirm with. @throws AppError passkey_rp_unset */
export async function reauthOptions(
  deps: Deps,
  caller: Caller,
  from: From,
): Promise<{ methods: ReauthMethod[]; fresh_until: string; publicKey?: RequestOptions }> {
  const methods = await reauthMethods(deps, caller.userId)
  const answer = { methods, fresh_until: isoTime(freshUntil(deps, caller.verifiedAt)) }
  if (!methods.includes('passkey') || !deps.settings.bool('passkey_enabled')) return answer
  const ids = await credentialIdsOf(deps.db.query, caller.userId)
  return { ...answer, publicKey: await requestOptionsOf(deps, 'passkey_reauth', { userId: caller.userId }, from, ids) }
}

/**
 * Proves again who sits before this session; what is proven counts once.
 * @throws AppError bad_request | passkey_* | second_factor_* | password_current_wrong | too_many_requests
 */
export async function reauth(deps: Deps, caller: Caller, ip: string, proof: Proof): Promise<{ fresh_until: string }> {
  const { method, store } = await prove(deps, caller, proof)
  const now = deps.clock.now()
  await deps.db.query.transaction().execute(async (tx) => {
    await store(tx, now)
    await markVerified(tx, caller.sessionId, now)
    const entry = { actorUserId: caller.userId, action: 'reauth', objectType: 'user', objectId: caller.userId, after: { method } }
    await recordAudit(tx, { ...entry, ip, now })
  })
  return { fresh_until: isoTime(freshUntil(deps, now)) }
}

async function prove(
  deps: Deps,
  { userId }: Caller,
  { credential, code, password }: Proof,
): Promise<{ method: ReauthMethod; store: (tx: Database['query'], now: number) => Promise<void> }> {
  if (credential) {
    requireEnabled(deps)
    return { method: 'passkey', store: (await proveAssertion(deps, 'passkey_reauth', credential, userId)).store }
  }
  if (code) return { method: 'code', store: await proveCode(deps, userId, code) }
  if (!password) throw new AppError('bad_request', { message: 'one of credential, code and password is required' })
  const methods = await reauthMethods(deps, userId)
  if (!methods.includes('password')) throw new AppError('second_factor_failed')
  const guesses = guessKey(userId)
  await countAttempt(deps, guesses, GUESSES)
  const { password_hash: hash } = await requireUser(deps.db.query, userId)
  if (!(await verifyPassword(password, hash))) throw new AppError('password_current_wrong')
  return { method: 'password', store: (tx) => forgetAttempts(tx, guesses) }
}
