// `npm run campaign -- <id>`: what takes too long even for the full tests, started by hand. Its tests run in the normal lane as well, with
// fewer cases; a seed may be given, so that a find can be run again: `npm run campaign -- S4 --seed 7`.
import { spawnSync } from 'node:child_process'
import { bunEnv, bunPath } from './bun.mjs'
import { ensureInstalled } from './npm.mjs'
import { root } from './paths.mjs'

/** Promise -> its test files and how many cases they run, or the program that runs it (docs/promises.md). */
const CAMPAIGNS = {
  S4: { files: ['test/fuzz/endpoints.test.ts', 'test/fuzz/parsers.test.ts'], env: { TEST_FUZZ: '50000', TEST_FUZZ_PARSERS: '1000000' } },
  R4: { files: ['test/crash/soak.full.test.ts'], env: { TEST_SOAK_MINUTES: '30' } },
  S18: { program: 'test/mutation/run.ts' },
}

const [id = '', ...rest] = process.argv.slice(2)
const campaign = CAMPAIGNS[id]
if (campaign === undefined) {
  console.log(`Which one? npm run campaign -- ${Object.keys(CAMPAIGNS).join(' | ')} [--seed <number>]`)
  process.exitCode = 1
} else {
  ensureInstalled()
  const seed = rest[0] === '--seed' ? rest[1] : undefined
  const env = bunEnv({ ...campaign.env, ...(seed !== undefined && { TEST_FUZZ_SEED: seed }) })
  const args = campaign.program === undefined ? ['test', ...campaign.files.map((file) => `./${file}`)] : [campaign.program, ...rest]
  const { status } = spawnSync(bunPath(), args, { cwd: root, stdio: 'inherit', env })
  process.exitCode = status ?? 1
}
