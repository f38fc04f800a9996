import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, utimesSync } from 'node:fs'
import { inRoot, root } from './paths.mjs'

/**
 * Runs npm, the one that runs us if there is one.
 * @param {string[]} args
 * @throws Error when npm fails
 */
export function npm(args) {
  const script = process.env.npm_execpath
  const known = script !== undefined && /npm-cli\.c?js$/.test(script)
  // npm speaks on stderr, so that the output of a command stays its own.
  const stdio = ['ignore', 2, 2]
  const result = known
    ? spawnSync(process.execPath, [script, ...args], { cwd: root, stdio })
    : spawnSync('npm', args, { cwd: root, stdio, shell: process.platform === 'win32' })
  if (result.status !== 0) throw new Error(`"npm ${args.join(' ')}" failed${result.error ? `: ${result.error.message}` : ''}`)
}

/** Installs with `npm ci` unless node_modules already holds what package-lock.json names; the console is built here, so with the build tools. */
export function ensureInstalled() {
  const lock = readPackages(inRoot('package-lock.json'))
  const hiddenPath = inRoot('node_modules', '.package-lock.json')
  const present = existsSync(hiddenPath) ? readPackages(hiddenPath) : {}
  if (isComplete(lock, present)) {
    // scripts/start.sh compares the times only: say that this was looked at.
    utimesSync(hiddenPath, new Date(), new Date())
    return
  }
  console.error('Installing packages ...')
  npm(['ci', '--loglevel=error'])
  utimesSync(hiddenPath, new Date(), new Date())
}

function readPackages(path) {
  const { packages = {} } = JSON.parse(readFileSync(path, 'utf8'))
  delete packages['']
  return packages
}

function isComplete(lock, present) {
  for (const [path, entry] of Object.entries(lock)) {
    const found = present[path]
    if (found !== undefined) {
      if (found.version !== entry.version || found.integrity !== entry.integrity) return false
    } else if (entry.optional !== true && entry.devOptional !== true) {
      // Optional packages for other machines are rightly absent.
      return false
    }
  }
  return Object.keys(present).every((path) => path in lock)
}
