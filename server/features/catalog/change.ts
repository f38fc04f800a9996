import { AppError, type ErrorCode } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { isUniqueViolation } from '../../http/errors.ts'
import { takeTurn } from '../settings/service.ts'

/** Who changes something, for the audit row. */
export interface Actor {
  userId: number
  ip: string
}

/**
 * Changes routing data: one transaction, then the change is told, so that it is in force when the answer leaves. Changes take
 * turns: what one found (no meta model of that name, nobody in the group) still holds when it commits, and no two wait for
 * each other.
 * @throws AppError `conflict` when a unique name or pair exists already
 */
export async function changeRouting<T>(
  deps: Pick<Deps, 'db' | 'clock' | 'changes'>,
  conflict: ErrorCode,
  work: (tx: Database['query'], now: number) => Promise<T>,
): Promise<T> {
  let result: T
  try {
    result = await deps.db.query.transaction().execute(async (tx) => {
      await takeTurn(tx, 'turn.routing', deps.clock.now())
      return work(tx, deps.clock.now())
    })
  } catch (cause) {
    throw isUniqueViolation(cause) ? new AppError(conflict, { cause }) : cause
  }
  await deps.changes.publish({ type: 'routing' })
  return result
}
