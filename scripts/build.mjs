import { spawnSync } from 'node:child_process'
import { readdirSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { bunEnv, bunPath } from './bun.mjs'
import { inRoot, root } from './paths.mjs'

// The sources and results below are also named in scripts/start.sh. A removed file shows in the time of its folder.

/**
 * Builds the console into dist/console when a source is newer than the last build.
 * @throws Error when the build fails
 */
export function ensureConsole() {
  // On Bun, so that the build does not depend on which Node is installed.
  const vite = ['--bun', inRoot('node_modules', 'vite', 'bin', 'vite.js'), 'build', '--config', 'web/vite.config.ts', '--logLevel', 'warn']
  ensure('console', ['web', 'contract', 'package-lock.json'], inRoot('dist', 'console', 'index.html'), vite)
}

/**
 * Bundles the server into dist/server when a source is newer: one parsed file starts in half the time that hundreds
 * of sources take. Bytecode needs the CommonJS form, so nothing awaits at the top level of server/main.ts.
 * @throws Error when the build fails
 */
export function ensureServer() {
  const entries = ['server/main.ts', 'server/relay/counter-worker.ts', 'server/features/reconciliation/books-worker.ts']
  const options = [
    '--target=bun',
    '--format=cjs',
    '--bytecode',
    '--minify-syntax',
    '--minify-whitespace',
    '--sourcemap=linked',
    // Places where the crash tests end the process (server/lib/failpoint.ts): not in what users run.
    '--define=TOLLGATE_FAILPOINTS=false',
    // Loaded where they are needed, and only there: in the bundle they would cost every server 7 MB.
    ...['@pydantic/genai-prices', '@simplewebauthn/server', 'nodemailer', 'pg'].map((name) => `--external=${name}`),
    '--outdir=dist/server',
  ]
  ensure('server', ['server', 'contract', 'package-lock.json'], inRoot('dist', 'server', 'main.js'), ['build', ...entries, ...options])
}

function ensure(name, sources, result, bunArgs) {
  const newest = Math.max(...sources.map((source) => newestMs(inRoot(source))))
  const built = statSync(result, { throwIfNoEntry: false })
  if (built !== undefined && built.mtimeMs >= newest) return
  console.error(`Building the ${name} ...`)
  const startedMs = Date.now()
  const { status, stdout } = spawnSync(bunPath(), bunArgs, {
    cwd: root,
    stdio: ['ignore', 'pipe', 2],
    encoding: 'utf8',
    env: bunEnv({ NODE_ENV: 'production' }),
  })
  if (status !== 0) throw new Error(`${stdout ?? ''}\nThe ${name} could not be built.`)
  if (!statSync(result, { throwIfNoEntry: false })) throw new Error(`The build of the ${name} left no ${result}.`)
  // As of the start of the build: what was changed meanwhile counts as newer. A file from the future would count so for ever.
  const asOf = new Date(Math.max(startedMs, newest))
  utimesSync(result, asOf, asOf)
}

function newestMs(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestMs(join(path, name))), stat.mtimeMs)
}
