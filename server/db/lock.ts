import { Database as SqliteFile } from 'bun:sqlite'

/**
 * Makes this process the only one on a SQLite file: an exclusive transaction on `<file>.lock`, itself a SQLite file, so
 * that the operating system lets go of it however the process ends (no stale pid files).
 * @returns a function that gives the lock back
 * @throws Error when another process has it
 */
export function lockFile(path: string): () => void {
  if (path === ':memory:') return () => {}
  const lock = new SqliteFile(`${path}.lock`, { create: true, readwrite: true })
  try {
    lock.run('pragma locking_mode = EXCLUSIVE')
    lock.run('begin exclusive')
  } catch (error) {
    lock.close()
    throw new Error(`another Tollgate process is using ${path}; run several processes on PostgreSQL (DATABASE_URL) instead`, {
      cause: error,
    })
  }
  return () => lock.close()
}
