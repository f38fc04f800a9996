import { Notices, notify } from '../db/notices.ts'
import { describeError } from '../lib/log.ts'
import type { Deps } from './deps.ts'

const SUBJECT = 'changes'

/**
 * Joins this process to the others of the installation: changes go to all of them and theirs come here, through Redis and
 * through PostgreSQL, whichever there is; with both, either may fail. Returns what leaves them again.
 * @param databaseUrl undefined with SQLite, which has one process
 */
export async function joinProcesses(
  deps: Pick<Deps, 'changes' | 'db' | 'log' | 'redis'>,
  databaseUrl: string | undefined,
): Promise<() => Promise<void>> {
  const { changes, db, log, redis } = deps
  const message = (text: string): void => changes.received(text)
  const begun = (): void => changes.missed()
  if (redis) {
    redis.subscribe(SUBJECT, { message, begun })
    changes.join({ publish: (text) => redis.publish(SUBJECT, text) })
  }
  let notices: Notices | undefined
  if (databaseUrl !== undefined) {
    notices = new Notices(databaseUrl, {
      message,
      begun,
      failed: (error) => log.warn('listening on the database was interrupted; tried again', { cause: describeError(error) }),
    })
    await notices.start()
    changes.join({ publish: (text) => notify(db.query, text) })
  }
  return async () => {
    changes.close()
    await notices?.close()
  }
}
