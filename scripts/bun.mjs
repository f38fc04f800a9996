// Finds the pinned Bun and runs it: `node scripts/bun.mjs <arguments of bun>`.
// npm runs no install scripts here, so `node_modules/bun/bin` is a stub; the binary lies in the platform package
// that npm picked (docs/decisions/0001-bun-pinned-from-npm.md).
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { npm } from './npm.mjs'
import { inRoot } from './paths.mjs'

/** A link to the binary that was seen to work, for scripts/start.sh; `npm ci` removes it with node_modules. */
const link = inRoot('node_modules', '.cache', 'tollgate', 'bun')
const exe = process.platform === 'win32' ? 'bun.exe' : 'bun'
/** Bun sends at most 256 fetches at once unless this is set before it starts; a gateway holds thousands of streams open. */
const MAX_HTTP_REQUESTS = '65535'

/** The environment Bun has to be started with. */
export function bunEnv(extra = {}) {
  return { BUN_CONFIG_MAX_HTTP_REQUESTS: MAX_HTTP_REQUESTS, ...process.env, ...extra }
}

/**
 * Absolute path of a Bun binary that runs on this machine.
 * @throws Error when the package is not installed or no build of it runs here
 */
export function bunPath() {
  try {
    const known = resolve(dirname(link), readlinkSync(link))
    if (existsSync(known)) return known
  } catch {
    // No link yet.
  }
  const found = findBun()
  rmSync(link, { force: true })
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(relative(dirname(link), found), link)
  return found
}

function findBun() {
  const names = packageNames()
  const tried = []
  for (const name of names) {
    const path = inRoot('node_modules', name, 'bin', exe)
    if (!existsSync(path)) continue
    if (runs(path)) return path
    tried.push(name)
  }
  const baseline = `${names[0]}-baseline`
  if (process.arch === 'x64') {
    const path = installBaseline(baseline)
    if (existsSync(path) && runs(path)) return path
    tried.push(baseline)
  }
  throw new Error(
    tried.length === 0
      ? `Bun is not installed: expected the package ${names[0]}. Run "npm ci" (without --omit=optional).`
      : `No build of Bun runs on this machine. Tried: ${tried.join(', ')}.`,
  )
}

/** Platform packages that can serve this machine, best first. npm installs only those that match the machine. */
function packageNames() {
  const os = process.platform === 'win32' ? 'windows' : process.platform
  const arch = process.arch === 'arm64' ? 'aarch64' : process.arch
  const name = `@oven/bun-${os}-${arch}`
  if (os !== 'linux') return [name]
  process.report.excludeNetwork = true
  const glibc = process.report.getReport().header.glibcVersionRuntime !== undefined
  return glibc ? [name] : [`${name}-musl`]
}

/** A build for newer processors dies with SIGILL on one without AVX2, so running it is the surest check. */
function runs(path) {
  return spawnSync(path, ['--version'], { stdio: 'ignore' }).status === 0
}

/** The build for older processors is no dependency of the package bun (nobody else needs 100 MB more); it is fetched on demand. */
function installBaseline(name) {
  const { version } = JSON.parse(readFileSync(inRoot('node_modules', 'bun', 'package.json'), 'utf8'))
  const prefix = inRoot('node_modules', '.cache', 'tollgate', 'baseline')
  const path = join(prefix, 'node_modules', name, 'bin', exe)
  if (existsSync(path)) return path
  console.error(`The usual build of Bun does not run on this processor; installing ${name}@${version}.`)
  mkdirSync(prefix, { recursive: true })
  npm(['install', '--prefix', prefix, '--no-save', '--no-package-lock', '--ignore-scripts', `${name}@${version}`])
  return path
}

/**
 * Runs Bun in the foreground: same terminal, signals passed on, its exit code (or signal) becomes ours.
 * @param {string[]} args
 */
export function runBun(args) {
  const child = spawn(bunPath(), args, { stdio: 'inherit', env: bunEnv() })
  // A process manager signals this process only; a terminal signals the whole group, Bun included.
  for (const signal of ['SIGINT', 'SIGQUIT']) process.on(signal, () => process.stdin.isTTY || child.kill(signal))
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`Bun could not be started: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) runBun(process.argv.slice(2))
