import type { Database } from '../../db/open.ts'
import type { ChallengeTable } from '../../db/schema.ts'

type Tx = Database['query']

export async function insertChallenge(tx: Tx, row: ChallengeTable): Promise<void> {
  await tx.insertInto('challenges').values(row).execute()
}

/** A challenge that may still be used. */
export function selectChallenge(db: Tx, id: string, purpose: string, now: number): Promise<ChallengeTable | undefined> {
  return db
    .selectFrom('challenges')
    .selectAll()
    .where('id', '=', id)
    .where('purpose', '=', purpose)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/** Deletes it and gives it to the one caller that came first. */
export function takeChallenge(tx: Tx, id: string, purpose: string, now: number): Promise<ChallengeTable | undefined> {
  return tx
    .deleteFrom('challenges')
    .where('id', '=', id)
    .where('purpose', '=', purpose)
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst()
}

export async function deleteExpiredChallenges(tx: Tx, now: number): Promise<void> {
  await tx.deleteFrom('challenges').where('expires_at', '<=', now).execute()
}

export async function deleteChallengesOf(tx: Tx, userId: number): Promise<void> {
  await tx.deleteFrom('challenges').where('user_id', '=', userId).execute()
}
