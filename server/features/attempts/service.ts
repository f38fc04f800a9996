import { AppError } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import { sha256Hex } from '../../lib/ids.ts'
import { deleteAttempts, deleteExpiredAttempts, lockAttempts, writeAttempts } from './store.ts'

/** At most `count` in any span of `windowMs`, for everybody together who counts the same key. */
export interface AttemptLimit {
  readonly count: number
  readonly windowMs: number
}

/** What somebody who does not know a secret gets (promises.md S7). */
export const GUESSES: AttemptLimit = { count: 10, windowMs: 60 * 60_000 }

interface AttemptDeps {
  readonly db: Database
  readonly clock: { now(): number }
}

/**
 * Counts one attempt before it is made, exactly, across processes and however many come at once: the key's row is
 * locked while it is counted. Keys are hashed, because they hold addresses and may be of any length.
 * @param key names what is guessed at, such as `password:17`
 * @throws AppError too_many_requests
 */
export async function countAttempt(deps: AttemptDeps, key: string, limit: AttemptLimit): Promise<void> {
  const id = sha256Hex(key)
  const now = deps.clock.now()
  const wait = await deps.db.query.transaction().execute(async (tx) => {
    const recent = timesOf(await lockAttempts(tx, id)).filter((time) => time > now - limit.windowMs)
    const oldest = recent[recent.length - limit.count]
    if (oldest !== undefined) return oldest + limit.windowMs - now
    await writeAttempts(tx, id, JSON.stringify([...recent, now]), now + limit.windowMs)
    return 0
  })
  if (wait > 0) throw new AppError('too_many_requests', { retryAfterSeconds: Math.ceil(wait / 1000) })
}

/** Forgets what was counted: who proved to know the secret did not guess. */
export function forgetAttempts(tx: Database['query'], key: string): Promise<void> {
  return deleteAttempts(tx, sha256Hex(key))
}

/** Drops what no limit looks at any more. */
export function sweepAttempts(deps: AttemptDeps): Promise<void> {
  return deleteExpiredAttempts(deps.db.query, deps.clock.now())
}

function timesOf(events: string): number[] {
  return JSON.parse(events) as number[]
}
