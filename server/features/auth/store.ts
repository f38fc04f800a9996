import type { Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { SessionTable } from '../../db/schema.ts'

type Tx = Database['query']
export type SessionRow = Selectable<SessionTable>

export async function insertSession(tx: Tx, session: SessionRow): Promise<void> {
  await tx.insertInto('sessions').values(session).execute()
}

/** The user of a token with its session, if that is still there; one query a request. */
export function findCaller(db: Tx, userId: number, sessionId: string) {
  return db
    .selectFrom('users')
    .leftJoin('sessions', (join) => join.onRef('sessions.user_id', '=', 'users.id').on('sessions.id', '=', sessionId))
    .select([
      'users.role',
      'users.disabled_at',
      'users.sessions_valid_from',
      'sessions.created_at',
      'sessions.expires_at',
      'sessions.revoked_at',
      'sessions.last_seen_at',
      'sessions.verified_at',
    ])
    .where('users.id', '=', userId)
    .executeTakeFirst()
}

export async function touchSession(tx: Tx, id: string, now: number): Promise<void> {
  await tx.updateTable('sessions').set({ last_seen_at: now }).where('id', '=', id).execute()
}

/** Sessions that may still be used, newest first. */
export function selectLiveSessions(db: Tx, userId: number, now: number): Promise<SessionRow[]> {
  return db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .selectAll('sessions')
    .where('sessions.user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .whereRef('sessions.created_at', '>=', 'users.sessions_valid_from')
    .orderBy('sessions.created_at', 'desc')
    .orderBy('sessions.id')
    .execute()
}

/** Ends one session, or with `except` all others; returns how many were ended. */
export async function revokeSessions(
  tx: Tx,
  userId: number,
  which: { id: string } | { except: string | undefined },
  now: number,
): Promise<number> {
  let update = tx.updateTable('sessions').set({ revoked_at: now }).where('user_id', '=', userId).where('revoked_at', 'is', null)
  if ('id' in which) update = update.where('id', '=', which.id)
  else if (which.except !== undefined) update = update.where('id', '!=', which.except)
  return Number((await update.executeTakeFirst()).numUpdatedRows)
}

export async function setVerified(tx: Tx, id: string, now: number): Promise<void> {
  await tx.updateTable('sessions').set({ verified_at: now }).where('id', '=', id).execute()
}

/** Deletes all but the newest `keep` sessions of a user. */
export async function trimSessions(tx: Tx, userId: number, keep: number): Promise<void> {
  const newest = tx
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', userId)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(keep)
  await tx.deleteFrom('sessions').where('user_id', '=', userId).where('id', 'not in', newest).execute()
}

/** Sessions that were ended or whose tokens have expired are of no use to anybody. */
export async function deleteDeadSessions(tx: Tx, now: number): Promise<void> {
  await tx
    .deleteFrom('sessions')
    .where((where) => where.or([where('expires_at', '<=', now), where('revoked_at', 'is not', null)]))
    .execute()
}
