import { AppError, type ErrorCode } from '../../../contract/errors.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { isUniqueViolation } from '../../http/errors.ts'

/** Who changes something, for the audit row. */
export interface Actor {
  userId: number
  ip: string
}

/**
 * Changes routing data: one transaction, then the change is told, so that it is in force when the answer leaves.
 * @throws AppError `conflict` when a unique name or pair exists already
 */
export async function changeRouting<T>(
  deps: Pick<Deps, 'db' | 'clock' | 'changes'>,
  conflict: ErrorCode,
  work: (tx: Database['query'], now: number) => Promise<T>,
): Promise<T> {
  let result: T
  try {
    result = await deps.db.query.transaction().execute((tx) => work(tx, deps.clock.now()))
  } catch (cause) {
    throw isUniqueViolation(cause) ? new AppError(conflict, { cause }) : cause
  }
  await deps.changes.publish({ type: 'routing' })
  return result
}
