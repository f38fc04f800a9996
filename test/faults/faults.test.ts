import { afterAll, beforeAll, expect, test } from 'bun:test'
import { allCells, runCells, startFaultBench, type Cell } from './cells.ts'
import { faults } from './table.ts'

/* R1: 96 of the cells of faults.full.test.ts, every fault at least twice and every client, place and way of answering many times. */

const CELLS = 96
const AT_ONCE = 8
/** Steps through the 32 cells of a fault that fit no power of two, so that neighbours differ in everything. */
const FAULT_STEP = 7
const CELL_STEP = 11

const bench = await startFaultBench()
afterAll(() => bench.close())

const chosen: Cell[] = Array.from({ length: CELLS }, (_, index) => {
  const at = index % faults.length
  const cells = allCells(faults.slice(at, at + 1))
  const cell = cells[(at * FAULT_STEP + Math.floor(index / faults.length) * CELL_STEP) % cells.length]
  if (!cell) throw new Error('a fault without cells')
  return cell
})
// Some only wait: side by side they wait at the same time. What failed is told by the test of its fault.
let failures: string[] = []
beforeAll(async () => {
  failures = await runCells(bench, chosen, AT_ONCE)
}, 60_000)

for (const fault of faults) {
  const count = chosen.filter((cell) => cell.fault === fault).length
  test(`R1: ${fault.name}: ${count} cells`, () => {
    expect(failures.filter((text) => text.startsWith(`${fault.name}, `))).toEqual([])
  })
}

test(`R1: the books of ${CELLS} cells are exact and nothing is held`, async () => {
  await bench.served.expectBooks()
})

test(`S17: nothing that was said in ${CELLS} cells is kept`, () => bench.expectNothingKept())
