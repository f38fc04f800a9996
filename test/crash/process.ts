import { closeSync, openSync } from 'node:fs'
import type { DatabaseOptions } from '../../server/db/open.ts'
import { TEST_SECRET } from '../app.ts'

/** The server as a process of its own, as a user runs it; for tests that kill it. */
export interface ServerProcess {
  readonly base: string
  readonly pid: number
  /** Milliseconds from the start to the first answer. */
  readonly upAfterMs: number
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number>
  /** Resolves when it has ended, however. */
  readonly ended: Promise<number>
  /** Sends a signal and does not wait. */
  signal(signal: 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void
}

/** Generous: how long a start may take is for the tests to say; on a busy machine at the lowest priority it has taken over 10 s. */
const START_LIMIT_MS = 60_000

/** A free port; the server must come back on the same one. */
export async function freePort(): Promise<number> {
  const probe = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  const { port } = probe
  await probe.stop(true)
  if (port === undefined) throw new Error('no free port')
  return port
}

/**
 * Starts the server on a database and waits until it answers. `more`: further environment variables; `flags`: of Bun, before the
 * program; `output`: the file that takes all it prints, whose errors are shown otherwise.
 */
export async function startServer(
  database: DatabaseOptions,
  port: number,
  more: Record<string, string> = {},
  flags: readonly string[] = [],
  output?: string,
): Promise<ServerProcess> {
  const printed = output === undefined ? undefined : openSync(output, 'a')
  const started = performance.now()
  const child = Bun.spawn([process.execPath, ...flags, new URL('../../server/main.ts', import.meta.url).pathname], {
    stdin: 'ignore',
    stdout: printed ?? 'ignore',
    stderr: printed ?? 'inherit',
    env: {
      ...process.env,
      PORT: String(port),
      HOST: '127.0.0.1',
      DB_PATH: database.path === '' ? '/nonexistent/unused.db' : database.path,
      DATABASE_URL: database.url ?? '',
      JWT_SECRET: TEST_SECRET,
      ENCRYPTION_KEY: `${TEST_SECRET} too`,
      LOG_LEVEL: 'error',
      // As scripts/start.sh has them.
      BUN_CONFIG_MAX_HTTP_REQUESTS: '65535',
      BUN_JSC_forceRAMSize: '201326592',
      ...more,
    },
  })
  if (printed !== undefined) closeSync(printed)
  const base = `http://127.0.0.1:${port}`
  for (;;) {
    if (
      await fetch(`${base}/health`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      break
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode} before it answered`)
    if (performance.now() - started > START_LIMIT_MS) throw new Error('the server did not come up')
    await Bun.sleep(10)
  }
  return {
    base,
    pid: child.pid,
    upAfterMs: performance.now() - started,
    async kill(signal) {
      child.kill(signal)
      return child.exited
    },
    ended: child.exited,
    signal: (signal) => child.kill(signal),
  }
}
