import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { inRoot } from './paths.mjs'

const FOLDERS = ['contract', 'server', 'web', 'test', 'scripts']
const TEST_FILE = /\.test\.tsx?$/
const FULL_FILE = /\.full\.test\.tsx?$/
/** Several processes share a PostgreSQL; there is nothing to see of it on SQLite. */
const POSTGRES_FILE = /\.postgres\.test\.tsx?$/
/** A test depends on the engine exactly when it, or something it loads or starts, reads this. */
const ENGINE_SWITCH = 'TEST_DATABASE'
/** Any quoted path of ours: imports, workers, programs to start. Type imports load nothing. */
const REFERENCE = /^\s*(?:import|export) type\b[^']*'[^']*'|'((?:\.{1,2}\/|server\/|test\/)[^'\s]+\.tsx?)'/gm

/**
 * The test files from the root, sorted.
 * @param {{ full: boolean, patterns: string[] }} options `full` adds `*.full.test.ts`; `patterns` are parts of paths, any of which must fit
 */
export function testFiles({ full, patterns }) {
  return FOLDERS.filter((folder) => existsSync(inRoot(folder)))
    .flatMap((folder) =>
      readdirSync(inRoot(folder), { recursive: true }).map((/** @type {string} */ path) => join(folder, path).split(sep).join('/')),
    )
    .filter((file) => TEST_FILE.test(file) && (full || !FULL_FILE.test(file)))
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .sort((a, b) => (a < b ? -1 : 1))
}

/** Whether the test is of PostgreSQL alone. */
export function needsPostgres(file) {
  return POSTGRES_FILE.test(file)
}

/** Whether the test runs differently on another database engine. */
export function dependsOnEngine(file) {
  const seen = new Set()
  const waiting = [inRoot(file)]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path) || !existsSync(path)) continue
    seen.add(path)
    const text = readFileSync(path, 'utf8')
    if (text.includes(ENGINE_SWITCH)) return true
    for (const [, reference] of text.matchAll(REFERENCE)) {
      if (reference !== undefined) waiting.push(reference.startsWith('.') ? join(dirname(path), reference) : inRoot(reference))
    }
  }
  return false
}
