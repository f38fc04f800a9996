import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './crash/process.ts'

const START_LIMIT_MS = 10_000

/** A Redis server of a test's own, without anything on the disk. */
export interface TestRedis {
  readonly url: string
  /** Stops answering, as a host that swaps or a network that drops does; connections stay. */
  freeze(): void
  thaw(): void
  /** Ends it, connections and data with it. */
  kill(): Promise<void>
  /** Comes back, empty, at the same address. */
  restart(): Promise<void>
  /** Ends it for good. */
  close(): Promise<void>
}

/**
 * Starts one on a free port.
 * @throws Error when redis-server is not installed: the tests that share limits count as failed then, not as passed
 */
export async function startRedis(): Promise<TestRedis> {
  const binary = Bun.which('redis-server')
  if (binary === null) throw new Error('redis-server is not installed; on Debian: apt-get install redis-server')
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'tollgate-redis-'))
  const url = `redis://127.0.0.1:${port}`
  const start = async () => {
    const child = Bun.spawn([binary, '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir], {
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'inherit',
    })
    const until = performance.now() + START_LIMIT_MS
    while (!(await answers(url))) {
      if (performance.now() > until) throw new Error('redis-server did not come up')
      await Bun.sleep(20)
    }
    return child
  }
  let child = await start()
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await child.exited
  }
  return {
    url,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    kill,
    async restart() {
      child = await start()
    },
    async close() {
      await kill()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Bun.RedisClient(url, { connectionTimeout: 500, autoReconnect: false })
  try {
    await client.connect()
    return (await client.ping()) === 'PONG'
  } catch {
    return false
  } finally {
    client.close()
  }
}
