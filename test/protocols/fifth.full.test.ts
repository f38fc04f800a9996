import { afterAll, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isObject, type Json } from '../../contract/json.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const COPY = mkdtempSync(join(tmpdir(), 'tollgate-fifth-'))
const LIMIT_MS = 5 * 60_000

afterAll(() => rmSync(COPY, { recursive: true, force: true }))

/** Puts a row before the end of a table. */
function addRow(path: string, tableEnd: string, row: string, head = ''): void {
  const text = readFileSync(join(COPY, path), 'utf8')
  const [before, after, ...more] = text.split(tableEnd)
  expect([path, more.length, after !== undefined]).toEqual([path, 0, true])
  writeFileSync(join(COPY, path), `${head}${before}  ${row},\n${tableEnd}${after}`)
}

function types(): { status: number; output: string } {
  const { exitCode, stdout } = Bun.spawnSync([join(ROOT, 'node_modules/.bin/tsc'), '-p', COPY], { cwd: COPY })
  return { status: exitCode, output: stdout.toString().slice(0, 4_000) }
}

test(
  'with the folder and the two rows of a fifth protocol, and nothing else, contract and server still hold in all their types',
  () => {
    for (const folder of ['contract', 'server']) cpSync(join(ROOT, folder), join(COPY, folder), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(COPY, 'node_modules'))
    const config = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')) as Json
    if (!isObject(config)) throw new TypeError('tsconfig.json is no object')
    writeFileSync(
      join(COPY, 'tsconfig.json'),
      JSON.stringify({ ...config, include: ['contract', 'server'], exclude: ['**/*.test.ts', '**/test-kit.ts'] }),
    )
    const toy = readFileSync(join(ROOT, 'test/protocols/toy/index.ts'), 'utf8')
    cpSync(join(ROOT, 'test/protocols/toy/index.ts'), join(COPY, 'server/relay/protocols/toy/index.ts'))
    writeFileSync(
      join(COPY, 'server/relay/protocols/toy/index.ts'),
      toy.replaceAll('../../../contract/', '../../../../contract/').replaceAll('../../../server/relay/protocols/', '../'),
    )

    // One row alone is not enough: the tables belong together.
    addRow('contract/channel-types.ts', '} as const', `toy: 'toy'`)
    expect(types().output).toContain("Property 'toy' is missing")
    addRow(
      'server/relay/protocols/index.ts',
      '} satisfies Record<UpstreamProtocol, Protocol>',
      'toy',
      `import { toy } from './toy/index.ts'\n`,
    )
    expect(types()).toEqual({ status: 0, output: '' })
  },
  LIMIT_MS,
)
