import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** S15, what takes longer or needs the network. */
const root = new URL('../..', import.meta.url).pathname
/** Two builds of console and server on a busy machine. */
const BUILDS_MS = 300_000
const MIN_AGE_DAYS = 7
const DAY_MS = 86_400_000
const SOURCES = ['contract', 'server', 'web', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json']

/** Builds a copy of the sources in a folder, which is gone afterwards; name and sum of each file that came out. */
function build(folder: string): Record<string, string> {
  try {
    for (const name of SOURCES) cpSync(root + name, join(folder, name), { recursive: true })
    symlinkSync(`${root}node_modules`, join(folder, 'node_modules'))
    const script = "import { ensureConsole, ensureServer } from './scripts/build.mjs'; ensureConsole(); ensureServer()"
    const { exitCode, stderr } = Bun.spawnSync(['node', '--input-type=module', '-e', script], { cwd: folder })
    if (exitCode !== 0) throw new Error(stderr.toString())
    const entries = readdirSync(join(folder, 'dist'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    return Object.fromEntries(
      entries.map((entry) => {
        const path = join(entry.parentPath, entry.name)
        return [path.slice(folder.length), createHash('sha256').update(readFileSync(path)).digest('hex')]
      }),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test(
  'two clean builds are equal byte by byte',
  () => {
    // One path for both: server/lib/paths.ts finds the console from where it was built, so the bundle holds that path.
    const folder = join(mkdtempSync(join(tmpdir(), 'tollgate-build-')), 'tollgate')
    const [first, second] = [build(folder), build(folder)]
    expect(Object.keys(first).length).toBeGreaterThan(10)
    expect(first).toEqual(second)
  },
  BUILDS_MS,
)

test(
  'what is named for running was out for a week before it was taken',
  () => {
    const { dependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { dependencies: Record<string, string> }
    // When the lock took it: git knows; a tarball without git is measured against today.
    const git = Bun.spawnSync(['git', 'log', '-1', '--format=%cI', '--', 'package-lock.json'], { cwd: root })
    const takenAt = Date.parse(git.stdout.toString().trim()) || Date.now()
    const young: string[] = []
    for (const [name, version] of Object.entries(dependencies)) {
      const { exitCode, stdout } = Bun.spawnSync(['npm', 'view', `${name}@${version}`, 'time', '--json'], { cwd: root })
      const times: unknown = exitCode === 0 ? JSON.parse(stdout.toString()) : undefined
      const released =
        typeof times === 'object' && times !== null ? Date.parse((times as Record<string, string>)[version] ?? '') : Number.NaN
      if (Number.isNaN(released)) {
        process.stdout.write(`the registry does not say when ${name} ${version} came out: the ages were not looked at\n`)
        return
      }
      if (takenAt - released < MIN_AGE_DAYS * DAY_MS) young.push(`${name} ${version}`)
    }
    expect(young).toEqual([])
  },
  BUILDS_MS,
)
