import type { SessionWire } from '../../../contract/api/common.ts'
import type { BareUserWire } from '../../../contract/api/users.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import type { SessionGuard } from '../../http/bind.ts'
import { isAdmin, roleOf, type Caller } from '../../http/caller.ts'
import { credentialOf, isApiKey } from '../../http/credential.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime } from '../../lib/clock.ts'
import { randomToken } from '../../lib/ids.ts'
import { recordAudit } from '../audit/service.ts'
import { discardChallenges } from '../challenges/service.ts'
import { bareUser, type UserRow } from '../users/service.ts'
import {
  deleteDeadSessions,
  findCaller,
  insertSession,
  revokeSessions,
  selectLiveSessions,
  setVerified,
  touchSession,
  trimSessions,
} from './store.ts'
import { SESSION_SECONDS, SessionTokens } from './tokens.ts'

const SESSION_ID_BYTES = 16
const MAX_USER_AGENT = 255
/** Of one user; the oldest end. A script that signs in for every call must not fill the table. */
const MAX_SESSIONS = 100
/** "Last seen" is told to the minute: a write a minute and session, not one a request. */
const SEEN_EVERY_MS = 60_000

/** What every sign-in answers. */
export interface SignedIn {
  token: string
  user: BareUserWire
}

export interface Browser {
  ip: string
  userAgent: string
}

/** Reads what a session needs to know of a request. */
export function browserOf(call: { ip: string; request: Request }): Browser {
  return { ip: call.ip, userAgent: (call.request.headers.get('user-agent') ?? '').slice(0, MAX_USER_AGENT) }
}

/** Opens a session in the caller's transaction; returns its id. */
export async function openSession(tx: Database['query'], userId: number, browser: Browser, now: number): Promise<string> {
  const id = randomToken(SESSION_ID_BYTES)
  // The token says whole seconds; the row ends with it.
  const expiresAt = (Math.floor(now / 1000) + SESSION_SECONDS) * 1000
  await trimSessions(tx, userId, MAX_SESSIONS - 1)
  await insertSession(tx, {
    id,
    user_id: userId,
    ip: browser.ip,
    user_agent: browser.userAgent,
    created_at: now,
    last_seen_at: now,
    expires_at: expiresAt,
    revoked_at: null,
    verified_at: now,
  })
  return id
}

/** What every sign-in answers, for a session that was opened at `now`. */
export async function signedInAs(deps: Pick<Deps, 'db' | 'jwtSecret'>, user: UserRow, sessionId: string, now: number): Promise<SignedIn> {
  const token = await new SessionTokens(deps.jwtSecret).sign({ userId: user.id, isAdmin: isAdmin(roleOf(user.role)), sessionId }, now)
  return { token, user: await bareUser(deps, user) }
}

/**
 * Opens a session for a user whose identity is proven: the one way in for accounts that exist, whatever the proof was.
 * `confirm` runs in the transaction that opens the session, so that what was proven still holds when it is committed.
 * @throws AppError account_disabled
 */
export async function signIn(
  deps: Pick<Deps, 'db' | 'jwtSecret' | 'clock'>,
  user: UserRow,
  browser: Browser,
  confirm?: (tx: Database['query']) => Promise<void>,
): Promise<SignedIn> {
  if (user.disabled_at !== null) throw new AppError('account_disabled')
  const now = deps.clock.now()
  const sessionId = await deps.db.query.transaction().execute(async (tx) => {
    await confirm?.(tx)
    return openSession(tx, user.id, browser, now)
  })
  return signedInAs(deps, user, sessionId, now)
}

/** Finds the caller of a session token: the row decides, not the claim. */
export async function callerOfToken(deps: Pick<Deps, 'db' | 'clock'>, tokens: SessionTokens, token: string): Promise<Caller> {
  const now = deps.clock.now()
  const claims = await tokens.verify(token, now)
  if (!claims) throw new AppError('session_invalid')
  const row = await findCaller(deps.db.query, claims.userId, claims.sessionId)
  if (!row) throw new AppError('user_not_found')
  const { created_at: createdAt, expires_at: expiresAt, revoked_at: revokedAt, last_seen_at: lastSeenAt } = row
  if (createdAt === null || expiresAt === null || revokedAt !== null || expiresAt <= now || createdAt < row.sessions_valid_from)
    throw new AppError('session_invalid')
  if (row.disabled_at !== null) throw new AppError('account_disabled')
  if (lastSeenAt === null || now - lastSeenAt >= SEEN_EVERY_MS) await touchSession(deps.db.query, claims.sessionId, now)
  return { userId: claims.userId, role: roleOf(row.role), sessionId: claims.sessionId, verifiedAt: row.verified_at ?? createdAt }
}

/** The guard of the dashboard: sessions only, API keys are refused there (W06). */
export function sessionGuard(deps: Pick<Deps, 'db' | 'clock' | 'jwtSecret'>): Pick<SessionGuard, 'authenticate'> {
  const tokens = new SessionTokens(deps.jwtSecret)
  return {
    async authenticate(request) {
      const credential = credentialOf(request.headers)
      if (credential === undefined) throw new AppError('credential_missing')
      if (isApiKey(credential)) throw new AppError('api_key_on_dashboard')
      return callerOfToken(deps, tokens, credential)
    },
  }
}

/** Live sessions of a user; `currentId` marks the asking one. */
export async function sessionsOf(deps: Pick<Deps, 'db' | 'clock'>, userId: number, currentId?: string): Promise<SessionWire[]> {
  const rows = await selectLiveSessions(deps.db.query, userId, deps.clock.now())
  return rows.map((row) => ({
    id: row.id,
    ip: row.ip,
    user_agent: row.user_agent,
    created_at: isoTime(row.created_at),
    last_seen_at: isoTime(row.last_seen_at),
    expires_at: isoTime(row.expires_at),
    current: row.id === currentId,
  }))
}

/** A session has proved anew who sits before it. */
export function markVerified(tx: Database['query'], sessionId: string, now: number): Promise<void> {
  return setVerified(tx, sessionId, now)
}

/** Drops sessions that have ended: a token without a row is as good as none. */
export function sweepSessions(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  return deleteDeadSessions(deps.db.query, deps.clock.now())
}

/** Ends one session of the caller, or all but his. @throws AppError not_found for a session that is not his or over */
export async function endSession(deps: Pick<Deps, 'db' | 'clock' | 'changes'>, caller: Caller, id: string, ip: string): Promise<void> {
  const which = id === 'others' ? { except: caller.sessionId } : { id }
  const now = deps.clock.now()
  await deps.db.query.transaction().execute(async (tx) => {
    const ended = await revokeSessions(tx, caller.userId, which, now)
    if (ended === 0 && id !== 'others') throw new AppError('not_found', { message: 'Session not found' })
    const action = id === caller.sessionId ? 'sign_out' : 'end_sessions'
    await recordAudit(tx, { actorUserId: caller.userId, action, objectType: 'user', objectId: caller.userId, after: { ended }, ip, now })
  })
  await deps.changes.publish({ type: 'user', userId: caller.userId })
}

/** Ends every session of a user, and every sign-in that is half done, in the caller's transaction. */
export async function endAllSessions(tx: Database['query'], userId: number, now: number): Promise<void> {
  await discardChallenges(tx, userId)
  await revokeSessions(tx, userId, { except: undefined }, now)
}
