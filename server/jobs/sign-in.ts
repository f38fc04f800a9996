import { sweepAttempts } from '../features/attempts/service.ts'
import { sweepSessions } from '../features/auth/service.ts'
import { sweepChallenges } from '../features/challenges/service.ts'
import { sweepCodes } from '../features/mail-codes/service.ts'
import { sweepMails } from '../features/mail/service.ts'
import { sweepFlows } from '../features/oidc/flow.ts'
import type { Deps } from '../http/deps.ts'

/** How often what has run out is deleted. */
export const SWEEP_SIGN_IN_MS = 10 * 60_000

/** Deletes counted attempts, codes, sent mails and sign-ins that are of no use any more (W105). */
export async function sweepSignIn(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  await sweepAttempts(deps)
  await sweepChallenges(deps)
  await sweepSessions(deps)
  await sweepCodes(deps)
  await sweepMails(deps)
  await sweepFlows(deps)
}
