import { expect, test } from 'bun:test'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tmpdir } from 'node:os'

const ROOT = join(import.meta.dir, '../..')

/** Ways out of the process that do not pass the guard. */
const modules = ['undici', 'bun', 'net', 'tls', 'http', 'https', 'http2', 'dgram', 'dns', 'dns/promises', 'child_process'].flatMap((name) =>
  name === 'undici' || name === 'bun' ? [name] : [name, `node:${name}`],
)
const waysOut = [
  ...modules.map((name) => `import * as way from '${name}'\nexport const used = way\n`),
  ...['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'].map((name) => `export const used = ${name}\n`),
  ...['globalThis.fetch', 'globalThis.WebSocket', 'Bun.fetch', 'Bun.connect', 'Bun.udpSocket', 'Bun.spawn'].map(
    (name) => `export const used = ${name}\n`,
  ),
]
/** Rooms with exceptions of their own: each may have what it needs, and no way out. */
const rooms = ['server/features/planted/service.ts', 'server/features/planted/store.ts', 'server/db/planted.ts', 'server/relay/planted.ts']
const fine: [string, string][] = [
  ['server/features/planted/fine/store.ts', "import * as kysely from 'kysely'\nexport const used = kysely\n"],
  ['server/db/fine.ts', "import * as pg from 'pg'\nexport const used = pg\n"],
]
const notTheirs: [string, string][] = [
  ['server/features/planted/pg/store.ts', "import * as pg from 'pg'\nexport const used = pg\n"],
  ['server/features/planted/kysely.ts', "import * as kysely from 'kysely'\nexport const used = kysely\n"],
]

test('every way out of the process but the guard is a fault of the linter, in every room of the server', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tollgate-lint-'))
  try {
    mkdirSync(join(dir, 'scripts'))
    for (const file of ['.oxlintrc.json', 'scripts/laws.mjs', 'scripts/paths.mjs']) copyFileSync(join(ROOT, file), join(dir, file))
    const planted = new Map<string, string>([...fine, ...notTheirs])
    for (const room of rooms) {
      for (const [index, text] of waysOut.entries()) planted.set(join(dirname(room), String(index), room.split('/').at(-1) ?? ''), text)
    }
    for (const [file, text] of planted) {
      mkdirSync(dirname(join(dir, file)), { recursive: true })
      writeFileSync(join(dir, file), text)
    }
    const { stdout } = Bun.spawnSync(['node', join(ROOT, 'node_modules/oxlint/bin/oxlint'), '--format', 'json', 'server'], { cwd: dir })
    const { diagnostics } = JSON.parse(stdout.toString()) as { diagnostics: { filename: string; code: string }[] }
    const caught = new Set(diagnostics.filter(({ code }) => code.includes('no-restricted')).map(({ filename }) => filename))
    const missed = [...planted.keys()].filter((file) => !caught.has(file) && !fine.some(([allowed]) => allowed === file))
    expect(missed.map((file) => `${file}: ${readFileSync(join(dir, file), 'utf8')}`)).toEqual([])
    expect(fine.filter(([file]) => caught.has(file))).toEqual([])
    expect(caught.size).toBe(rooms.length * waysOut.length + notTheirs.length)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}, 60_000)
