import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { bunEnv, bunPath } from './bun.mjs'
import { root } from './paths.mjs'

/** A test that takes longer hangs; two cores shared with a database are slow. */
const TEST_TIMEOUT_MS = 30_000
/** What a person has set for the program itself must not reach the tests: they would write into a real database. */
const NOT_FOR_TESTS = ['DATABASE_URL', 'DB_PATH', 'REDIS_URL', 'JWT_SECRET', 'ENCRYPTION_KEY', 'PORT', 'HOST', 'TRUSTED_PROXIES']
const SUMMARY_LINE = /^\s*\d+ (pass|fail|skip|todo|error|filtered out|snapshots|expect\(\) calls)|^Ran \d+ tests? across|^bun test v/

/**
 * Runs test files in one Bun, each in a fresh global object, and prints a line a file, failures in full.
 * Counts come from Bun's report, never from its output; a file without a result is a failure.
 * @param {string[]} files from the root
 * @param {{ env: Record<string, string>, timeoutMs: number }} options
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>}
 */
export async function runLane(files, { env, timeoutMs }) {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-report-'))
  const report = join(folder, 'report.xml')
  const bunArgs = ['test', '--isolate', '--no-orphans', `--timeout=${TEST_TIMEOUT_MS}`, '--reporter=junit', `--reporter-outfile=${report}`]
  const child = spawn(bunPath(), [...bunArgs, ...files.map((file) => `./${file}`)], {
    cwd: root,
    env: laneEnv(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = print(child, new Set(files))
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, timeoutMs)
  const kill = () => child.kill('SIGTERM')
  process.on('exit', kill)
  const end = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(signal ?? code))
  })
  process.off('exit', kill)
  clearTimeout(timer)
  printed.finish()
  const xml = existsSync(report) ? readFileSync(report, 'utf8') : ''
  rmSync(folder, { recursive: true, force: true })
  return count(xml, files, late ? `it was ended after ${timeoutMs / 60_000} minutes` : `it ended with ${end}`, end === 0)
}

function laneEnv(env) {
  const all = bunEnv(env)
  for (const name of NOT_FOR_TESTS) delete all[name]
  return all
}

/** Passes on what Bun prints, with one line a file instead of one a passed test. */
function print(child, files) {
  let file
  let started = performance.now()
  let passes = 0
  let failures = 0
  const finish = () => {
    if (file !== undefined) {
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      const result = failures > 0 ? `${passes} passed, ${failures} failed` : `${passes} passed`
      const mark = failures > 0 ? 'FAIL' : passes > 0 ? 'ok  ' : '-   '
      console.log(`${mark} ${file.padEnd(60)} ${result}, ${seconds} s`)
    }
    file = undefined
    passes = 0
    failures = 0
    started = performance.now()
  }
  let over = false
  const onLine = (line) => {
    // A second list of what failed, after the last file.
    over ||= /^\d+ tests? failed:$/.test(line)
    if (over) return
    const name = line.endsWith(':') ? line.slice(0, -1) : ''
    if (files.has(name)) {
      finish()
      file = name
    } else if (line.startsWith('(pass) ')) passes++
    else if (line.trim() !== '' && !SUMMARY_LINE.test(line) && !/^\((skip|todo)\) /.test(line)) {
      if (line.startsWith('(fail) ')) failures++
      console.log(line)
    }
  }
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine)
  return { finish }
}

/** Bun exits with 0 when a test ends the process, and leaves files that do not load out of its report: both are failures here. */
function count(xml, files, ending, endedWell) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const missing = new Set(files)
  for (const [, attributes, , body = ''] of xml.matchAll(/<testcase\b([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const { name, classname, file } = readAttributes(attributes)
    missing.delete(file)
    if (body.includes('<failure') || body.includes('<error')) counts.failed++
    else if (body.includes('<skipped')) {
      counts.skipped++
      console.log(`skipped by its own condition: ${file}: ${[classname, name].filter(Boolean).join(' > ')}`)
    } else counts.passed++
  }
  if (xml === '') {
    console.log(`FAIL Bun left no report: ${ending}`)
    counts.failed++
  } else if (missing.size > 0) {
    for (const file of missing) console.log(`FAIL ${file}: no result; it does not load or has no test`)
    counts.failed += missing.size
  } else if (!endedWell && counts.failed === 0) {
    console.log(`FAIL no test failed, but Bun did: ${ending}`)
    counts.failed++
  }
  return counts
}

function readAttributes(text) {
  const plain = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }
  const unescape = (value) => value.replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => plain[name])
  return Object.fromEntries([...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, unescape(value)]))
}
