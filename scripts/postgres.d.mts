/** A throw-away PostgreSQL server; see postgres.mjs. */
export function startPostgres(options?: { from?: 'local' | 'npm' | undefined }): Promise<{
  url: string
  version: string
  /** Kills the server, as the system would when memory runs out. */
  crash(): void
  /** Starts it again on what is left. */
  restart(): Promise<void>
  stop(): Promise<void>
}>
