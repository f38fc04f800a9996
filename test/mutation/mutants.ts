import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Area } from './areas.ts'
import { countTest, runTest, trialsOf, type Trial } from './run-test.ts'
import { cache, copyTree, installTools, sourcesOf, testsOf } from './tree.ts'

interface Mutant {
  id: string
  fileName: string
  mutatorName: string
  replacement: string
  /** Lines from 0. */
  location: { start: { line: number; column: number } }
}
interface SourceFile {
  name: string
  content: string
  mutate: boolean
}
interface Instrumenter {
  instrument(files: SourceFile[], options: object): Promise<{ files: SourceFile[]; mutants: Mutant[] }>
}
interface Stryker {
  Instrumenter: new (logger: object) => Instrumenter
}
interface Reach extends Trial {
  ms: number
  mutants: ReadonlySet<string>
}

/** A mutant that loops is killed by the clock: three times what the test took, and this for a machine that is busy meanwhile. */
const GRACE_MS = 10_000
const SLOWER = 3
/** Every mutant is in the code, one is switched on by this variable (Stryker's "mutant schemata"). */
const SWITCH = '__STRYKER_ACTIVE_MUTANT__'

export interface MutationFigure {
  area: string
  mutants: number
  sampled: number
  killed: number
  timedOut: number
  unreached: number
}

/** Tries `sample` mutants of each area drawn by the seed; survivors are listed in `.cache/mutation/survivors-<area>.txt`. */
export async function measureMutants(areas: readonly Area[], sample: number, seed: number): Promise<MutationFigure[]> {
  const figures: MutationFigure[] = []
  for (const area of areas) figures.push(await measureArea(area, sample, seed))
  return figures
}

async function measureArea(area: Area, sample: number, seed: number): Promise<MutationFigure> {
  const tree = copyTree()
  const mutants = await instrument(tree, sourcesOf(area))
  const reaches = await reach(tree, area)
  const drawn = draw(mutants, sample, seed)
  const figure = { area: area.name, mutants: mutants.length, sampled: drawn.length, killed: 0, timedOut: 0, unreached: 0 }
  const survivors: string[] = []
  for (const [done, mutant] of drawn.entries()) {
    const fate = await tryMutant(tree, mutant.id, reaches)
    if (fate === 'killed' || fate === 'timedOut') figure.killed++
    else survivors.push(describe(mutant, fate))
    if (fate === 'timedOut') figure.timedOut++
    if (fate === 'unreached') figure.unreached++
    if (fate !== 'killed') console.log(`${done + 1} of ${drawn.length} ${fate}: ${describe(mutant, fate)}`)
    writeFileSync(join(cache, `survivors-${area.name}.txt`), `${survivors.join('\n')}\n`)
  }
  return figure
}

/** Puts every mutant of these files into the tree. */
async function instrument(tree: string, sources: readonly string[]): Promise<Mutant[]> {
  const entry = createRequire(join(installTools(), 'package.json')).resolve('@stryker-mutator/instrumenter')
  const { Instrumenter } = (await import(pathToFileURL(entry).href)) as Stryker
  const quiet = { debug() {}, info() {}, warn: console.warn, isDebugEnabled: () => false }
  const files = sources.map((name) => ({ name, content: readFileSync(join(tree, name), 'utf8'), mutate: true }))
  const options = { plugins: null, excludedMutations: [], ignorers: [], mutator: { plugins: null, excludedMutations: [] } }
  const { files: changed, mutants } = await new Instrumenter(quiet).instrument(files, options)
  for (const { name, content } of changed) writeFileSync(join(tree, name), content)
  return mutants
}

/** Which test reaches which mutant, quickest test first. A test that fails without a mutant proves nothing and is left out. */
async function reach(tree: string, area: Area): Promise<Reach[]> {
  const reaches: Reach[] = []
  for (const trial of trialsOf(testsOf(area))) {
    const { passed, ms, counters, output } = await countTest(tree, trial)
    const seen = (counters as { mutants?: { static?: object } } | undefined)?.mutants?.static ?? {}
    if (passed) reaches.push({ ...trial, ms, mutants: new Set(Object.keys(seen)) })
    else console.log(`left out, fails without a mutant: ${trial.file} ${trial.engine}\n${output}`)
  }
  return reaches.toSorted((a, b) => a.ms - b.ms)
}

type Fate = 'killed' | 'timedOut' | 'survived' | 'unreached'

async function tryMutant(tree: string, id: string, reaches: readonly Reach[]): Promise<Fate> {
  const able = reaches.filter(({ mutants }) => mutants.has(id))
  for (const trial of able) {
    const { passed, timedOut } = await runTest(tree, trial, { [SWITCH]: id }, trial.ms * SLOWER + GRACE_MS)
    if (!passed) return timedOut ? 'timedOut' : 'killed'
  }
  return able.length === 0 ? 'unreached' : 'survived'
}

/** The same seed draws the same mutants of the same sources (mulberry32 over a shuffle). */
function draw(mutants: readonly Mutant[], sample: number, seed: number): Mutant[] {
  let state = seed
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return mutants
    .map((mutant) => ({ mutant, rank: random() }))
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, sample)
    .map(({ mutant }) => mutant)
}

function describe({ fileName, location, mutatorName, replacement }: Mutant, fate: Fate): string {
  const { line, column } = location.start
  return `${fileName}:${line + 1}:${column + 1} ${fate} ${mutatorName} -> ${replacement.replace(/\s+/g, ' ')}`
}
