/**
 * `npm run campaign -- S18`: how good the tests of ledger, pricing, payment, auth and address guard are. Which branches they take,
 * and how many of the faults that are planted by machine they see.
 *
 *   --seed <number>      which mutants are drawn (1)
 *   --sample <number>    mutants of each area (150), or `all`
 *   --areas <name,...>   only these
 *   --branches           branches only; `--mutants` likewise
 *
 * One process at a time at low priority. With TEST_DATABASE_URL (a PostgreSQL where databases may be made) tests run on both engines.
 */
import { constants, setPriority } from 'node:os'
import { parseArgs } from 'node:util'
import { AREAS } from './areas.ts'
import { measureBranches } from './branches.ts'
import { measureMutants } from './mutants.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    sample: { type: 'string', default: '150' },
    areas: { type: 'string', default: AREAS.map(({ name }) => name).join(',') },
    branches: { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
  },
})
const names = values.areas.split(',')
const areas = AREAS.filter(({ name }) => names.includes(name))
const sample = values.sample === 'all' ? Number.POSITIVE_INFINITY : Number(values.sample)
const seed = Number(values.seed)
if (areas.length !== names.length || !(sample > 0) || !Number.isInteger(seed)) throw new Error('unknown area, sample or seed')
setPriority(constants.priority.PRIORITY_LOW)

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`
if (!values.mutants) {
  for (const { area, ways, taken } of await measureBranches(areas))
    console.log(`${area}: ${taken} of ${ways} branches, ${percent(taken, ways)}`)
}
if (!values.branches) {
  const figures = await measureMutants(areas, sample, seed)
  for (const { area, mutants, sampled, killed, timedOut, unreached } of figures) {
    const detail = `${timedOut} by the clock; ${unreached} reached by no test`
    console.log(`${area}: ${killed} of ${sampled} mutants killed (of ${mutants}, seed ${seed}), ${percent(killed, sampled)}; ${detail}`)
  }
}
