import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Area } from './areas.ts'
import { countTest, trialsOf } from './run-test.ts'
import { cache, copyTree, installTools, sourcesOf, testsOf } from './tree.ts'

interface FileCounters {
  /** Branch -> how often each of its ways was taken. */
  b: Record<string, number[]>
  branchMap: Record<string, { type: string; loc: { start: { line: number } }; locations: { start: { line?: number } }[] }>
}
interface Instrument {
  instrumentSync(code: string, filename: string): string
  lastFileCoverage(): FileCounters
}
interface Istanbul {
  createInstrumenter(options: { esModules: boolean; compact: boolean; parserPlugins: string[] }): Instrument
}

export interface BranchFigure {
  area: string
  ways: number
  taken: number
}

/** Runs each area's tests once over counted branches; the ways nobody takes are listed in `.cache/mutation/branches.txt`. */
export async function measureBranches(areas: readonly Area[]): Promise<BranchFigure[]> {
  const { createInstrumenter } = createRequire(join(installTools(), 'package.json'))('istanbul-lib-instrument') as Istanbul
  const tree = copyTree()
  const instrument = createInstrumenter({ esModules: true, compact: false, parserPlugins: ['typescript', 'importAttributes'] })
  const totals = new Map<string, FileCounters>()
  for (const file of new Set(areas.flatMap(sourcesOf))) {
    const path = join(tree, file)
    writeFileSync(path, instrument.instrumentSync(readFileSync(path, 'utf8'), file))
    totals.set(file, instrument.lastFileCoverage())
  }
  for (const trial of trialsOf([...new Set(areas.flatMap(testsOf))].toSorted())) {
    const { passed, ms, counters, output } = await countTest(tree, trial)
    console.log(`${passed ? 'ok  ' : 'FAIL'} ${trial.file} ${trial.engine}, ${(ms / 1000).toFixed(1)} s`)
    if (!passed) console.log(output)
    const seen = (counters as { branches?: Record<string, FileCounters> } | undefined)?.branches ?? {}
    for (const [file, { b }] of Object.entries(seen)) add(totals.get(file), b)
  }
  const missed: string[] = []
  const figures = areas.map((area) => {
    const figure = { area: area.name, ways: 0, taken: 0 }
    for (const file of sourcesOf(area)) {
      for (const [id, counts] of Object.entries(totals.get(file)?.b ?? {})) {
        figure.ways += counts.length
        figure.taken += counts.filter((count) => count > 0).length
        counts.forEach((count, way) => {
          if (count === 0) missed.push(`${area.name} ${placeOf(file, totals.get(file)?.branchMap[id], way)}`)
        })
      }
    }
    return figure
  })
  writeFileSync(join(cache, 'branches.txt'), `${missed.join('\n')}\n`)
  return figures
}

function add(total: FileCounters | undefined, more: Record<string, number[]>): void {
  for (const [id, counts] of Object.entries(more)) {
    const sums = total?.b[id]
    counts.forEach((count, way) => {
      if (sums !== undefined) sums[way] = (sums[way] ?? 0) + count
    })
  }
}

/** An `else` that is not written has no place of its own: the `if` stands for it. */
function placeOf(file: string, branch: FileCounters['branchMap'][string] | undefined, way: number): string {
  const line = branch?.locations[way]?.start.line ?? branch?.loc.start.line ?? 0
  return `${file}:${line} ${branch?.type ?? 'branch'} way ${way + 1} of ${branch?.locations.length ?? 0}`
}
