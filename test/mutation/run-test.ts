import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cache } from './tree.ts'

export type Engine = 'sqlite' | 'postgres'
/** One test file on one engine. */
export interface Trial {
  file: string
  engine: Engine
}

/** PostgreSQL takes part where there is one: its store of the ledger is reached by nothing else. */
const engines: readonly Engine[] = process.env['TEST_DATABASE_URL'] === undefined ? ['sqlite'] : ['sqlite', 'postgres']

/** Each file on each engine; those that need two processes on one database on PostgreSQL only. */
export function trialsOf(files: readonly string[]): Trial[] {
  return files.flatMap((file) =>
    engines.filter((engine) => engine === 'postgres' || !file.endsWith('.postgres.test.ts')).map((engine) => ({ file, engine })),
  )
}

/** Nobody has looked at how long the test takes yet. */
const FIRST_LIMIT_MS = 300_000
/** For a test or hook that names no limit: at low priority on a busy machine five seconds say nothing of the code. */
const PATIENCE_MS = 120_000

export interface Outcome {
  passed: boolean
  timedOut: boolean
  ms: number
  /** What the test printed. */
  output: string
}

/** Runs one test file in the tree, in a process of its own, until its first failure. */
export async function runTest(tree: string, trial: Trial, env: Record<string, string>, limitMs = FIRST_LIMIT_MS): Promise<Outcome> {
  const started = performance.now()
  const child = Bun.spawn(
    [process.execPath, 'test', '--bail', `--timeout=${PATIENCE_MS}`, '--preload', './test/mutation/collect.ts', `./${trial.file}`],
    {
      cwd: tree,
      env: { ...process.env, TEST_DATABASE: trial.engine, ...env },
      stdout: 'ignore',
      stderr: 'pipe',
      timeout: Math.ceil(limitMs),
      killSignal: 'SIGKILL',
    },
  )
  const output = await new Response(child.stderr).text()
  const exitCode = await child.exited
  return { passed: exitCode === 0, timedOut: child.signalCode === 'SIGKILL', ms: performance.now() - started, output }
}

/** The same with the counters of what it reached; undefined when it fails or leaves none (it reaches nothing that is measured). */
export async function countTest(tree: string, trial: Trial): Promise<Outcome & { counters: unknown }> {
  const path = join(cache, 'counters.json')
  rmSync(path, { force: true })
  const outcome = await runTest(tree, trial, { S18_COUNTERS: path })
  return { ...outcome, counters: existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as unknown) : undefined }
}
