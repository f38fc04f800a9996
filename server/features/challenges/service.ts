import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { randomToken, sha256Hex } from '../../lib/ids.ts'
import { deleteChallengesOf, deleteExpiredChallenges, insertChallenge, selectChallenge, takeChallenge } from './store.ts'

/** Each purpose's challenge is good for that alone. */
export type ChallengePurpose = 'passkey_login' | 'passkey_register' | 'passkey_reauth' | 'second_factor'

/** Five minutes for each (contract.md 8.4). */
export const CHALLENGE_MS = 5 * 60_000
/** 256 bits, 43 characters of base64url. */
const CHALLENGE_BYTES = 32

type ChallengeDeps = Pick<Deps, 'db' | 'clock'>

/** What a challenge was made for; `payload` is what its maker put into it. */
export interface Challenge {
  userId: number | null
  payload: unknown
}

/**
 * Makes a challenge that works once. The table has its hash, so that who reads the database can answer none.
 * @returns the challenge as the client gets it
 */
export async function issueChallenge(
  deps: ChallengeDeps,
  purpose: ChallengePurpose,
  { userId, payload }: { userId: number | null; payload: object },
): Promise<string> {
  const challenge = randomToken(CHALLENGE_BYTES)
  const now = deps.clock.now()
  await insertChallenge(deps.db.query, {
    id: sha256Hex(challenge),
    purpose,
    user_id: userId,
    payload: JSON.stringify(payload),
    expires_at: now + CHALLENGE_MS,
    created_at: now,
  })
  return challenge
}

/** Looks at a challenge without using it up. */
export async function peekChallenge(deps: ChallengeDeps, purpose: ChallengePurpose, challenge: string): Promise<Challenge | undefined> {
  return asChallenge(await selectChallenge(deps.db.query, sha256Hex(challenge), purpose, deps.clock.now()))
}

/** Uses a challenge up: of any number of tries at once, on any process, one gets it (W26). */
export async function spendChallenge(
  tx: Database['query'],
  purpose: ChallengePurpose,
  challenge: string,
  now: number,
): Promise<Challenge | undefined> {
  return asChallenge(await takeChallenge(tx, sha256Hex(challenge), purpose, now))
}

/** Voids what a user has begun: with his password, for one, ends what it had begun. */
export function discardChallenges(tx: Database['query'], userId: number): Promise<void> {
  return deleteChallengesOf(tx, userId)
}

/** Drops what nobody answered in time. */
export function sweepChallenges(deps: ChallengeDeps): Promise<void> {
  return deleteExpiredChallenges(deps.db.query, deps.clock.now())
}

function asChallenge(row: { user_id: number | null; payload: string } | undefined): Challenge | undefined {
  return row && { userId: row.user_id, payload: JSON.parse(row.payload) as unknown }
}
