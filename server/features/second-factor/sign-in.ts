import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { signIn, type Browser, type SignedIn } from '../auth/service.ts'
import { CHALLENGE_MS, issueChallenge, peekChallenge, spendChallenge } from '../challenges/service.ts'
import { requireUser } from '../users/service.ts'
import { hasTotp, proveCode } from './service.ts'

/**
 * Stops a sign-in whose password was right, when the account asks for more. The error carries the challenge to go on
 * with; a client that knows nothing of it shows its text.
 * @throws AppError second_factor_required
 */
export async function askSecondFactor(deps: Pick<Deps, 'db' | 'clock'>, userId: number): Promise<void> {
  if (!(await hasTotp(deps, userId))) return
  const challenge = await issueChallenge(deps, 'second_factor', { userId, payload: {} })
  throw new AppError('second_factor_required', { details: { challenge, methods: ['code'], expires_in: CHALLENGE_MS / 1000 } })
}

/**
 * Ends a sign-in with a code. A wrong code leaves the challenge for another try; the tries are counted by account.
 * @throws AppError second_factor_expired | second_factor_failed | second_factor_used | too_many_requests | account_disabled
 */
export async function completeSignIn(deps: Deps, input: { challenge: string; code: string }, browser: Browser): Promise<SignedIn> {
  const userId = (await peekChallenge(deps, 'second_factor', input.challenge))?.userId ?? undefined
  if (userId === undefined) throw new AppError('second_factor_expired')
  const user = await requireUser(deps.db.query, userId)
  const spend = await proveCode(deps, userId, input.code)
  return signIn(deps, user, browser, async (tx) => {
    if (!(await spendChallenge(tx, 'second_factor', input.challenge, deps.clock.now()))) throw new AppError('second_factor_expired')
    await spend(tx)
  })
}
