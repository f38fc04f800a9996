// `npm run check`: types, lint, format, dead code, file length. Each is one test of `npm test`.
import { spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inRoot, root } from './paths.mjs'

/** One file, one noun or verb: longer ones say why in one of their first lines, `long file: <reason>`. */
const MAX_LINES = 300
const REASON_LINES = 5
const SOURCE_FOLDERS = ['contract', 'server', 'web', 'test', 'bench', 'scripts']
const SOURCE_FILE = /\.(ts|tsx|mjs|js|css|sh)$/
/** Recorded traffic and what tools write are not written by us. */
const EXEMPT = /(^|\/)(fixtures|node_modules|dist)(\/|$)|\.gen\.ts$/

const CHECKS = [
  { name: 'types', run: () => tool('tsc', '--noEmit', '-p', '.') },
  { name: 'lint', run: () => tool('oxlint', '--type-aware') },
  { name: 'format', run: () => tool('oxfmt', '--check') },
  { name: 'dead code', run: () => tool('knip', '--no-progress') },
  { name: 'file length', run: longFiles },
]

/**
 * Runs all checks and prints a line for each, and what a failed one said.
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runChecks() {
  const counts = { passed: 0, failed: 0 }
  for (const { name, run } of CHECKS) {
    const started = performance.now()
    const { ok, output } = await run()
    counts[ok ? 'passed' : 'failed']++
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${name.padEnd(12)} ${((performance.now() - started) / 1000).toFixed(1)} s`)
    if (!ok) console.log(`\n${output.trim()}\n`)
  }
  return counts
}

function tool(name, ...args) {
  return new Promise((resolve) => {
    const child = spawn(inRoot('node_modules', '.bin', name), args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    child.on('error', (error) => resolve({ ok: false, output: `${name} could not be started: ${error.message}` }))
    child.on('close', (code) => resolve({ ok: code === 0, output: output || `${name} ended with ${code} and said nothing` }))
  })
}

function longFiles() {
  const long = SOURCE_FOLDERS.flatMap((folder) => filesIn(inRoot(folder))).flatMap((path) => {
    const lines = readFileSync(path, 'utf8').split('\n')
    const count = lines.at(-1) === '' ? lines.length - 1 : lines.length
    const stated = lines.slice(0, REASON_LINES).some((line) => /long file: \S/.test(line))
    return count > MAX_LINES && !stated
      ? [`${relative(root, path)}: ${count} lines; split it, or say why in its first lines: "long file: <reason>"`]
      : []
  })
  return { ok: long.length === 0, output: long.join('\n') }
}

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => SOURCE_FILE.test(path) && !EXEMPT.test(relative(root, path)))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { failed } = await runChecks()
  process.exit(failed === 0 ? 0 : 1)
}
