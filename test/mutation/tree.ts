import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Area } from './areas.ts'

export const root = join(import.meta.dir, '../..')
/** Git-ignored; also where survivors are listed. */
export const cache = join(root, '.cache/mutation')

/** Pinned: figures compare only between the same mutants. Nearly 100 packages come along, so they are no dependency of ours. */
const TOOLS = ['@stryker-mutator/instrumenter@10.1.1', 'istanbul-lib-instrument@6.0.3']
/** What a test may read. */
const PARTS = ['contract', 'server', 'test', 'scripts', 'web', 'docs', 'package.json', 'package-lock.json', 'tsconfig.json', 'README.md']

/** The folder the tools are installed in, on the first run from the registry npm is set to. */
export function installTools(): string {
  const folder = join(cache, 'tools')
  if (existsSync(join(folder, 'node_modules/istanbul-lib-instrument/package.json'))) return folder
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  const options = { cwd: folder, stdout: 'ignore', stderr: 'inherit' } as const
  const install = Bun.spawnSync(['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', ...TOOLS], options)
  if (install.exitCode !== 0) throw new Error(`${TOOLS.join(' and ')} cannot be installed here`)
  return folder
}

/** A copy of the repository to change at will; the user's files stay as they are. */
export function copyTree(): string {
  const tree = join(cache, 'tree')
  rmSync(tree, { recursive: true, force: true })
  mkdirSync(tree, { recursive: true })
  for (const part of PARTS) cpSync(join(root, part), join(tree, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  return tree
}

/** The files of an area from the root, sorted; neither tests nor what they are made with. */
export function sourcesOf(area: Area): string[] {
  return scan(area.sources).filter((file) => !file.endsWith('.test.ts') && !file.endsWith('/test-kit.ts'))
}

/** Its tests but for the long ones. */
export function testsOf(area: Area): string[] {
  return scan(area.tests).filter((file) => !file.endsWith('.full.test.ts'))
}

function scan(globs: readonly string[]): string[] {
  const found = globs.flatMap((glob) => [...new Bun.Glob(glob).scanSync({ cwd: root })])
  return [...new Set(found)].toSorted()
}
