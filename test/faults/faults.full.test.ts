import { afterAll, afterEach, expect, test } from 'bun:test'
import { allCells, runCells, startFaultBench } from './cells.ts'
import { faults } from './table.ts'

/* R1: every fault for every client, streamed and not, alone and with a healthy channel behind it, on both roads. */

const AT_ONCE = 4
const bench = await startFaultBench()
afterEach(() => bench.served.expectBooks())
afterAll(() => bench.close())

for (const fault of faults) {
  const cells = allCells([fault])
  test(`R1: ${fault.name}: ${cells.length} cells`, async () => {
    expect(await runCells(bench, cells, AT_ONCE)).toEqual([])
  }, 120_000)
}

test('S17: nothing that was said in all of them is kept', () => bench.expectNothingKept())

test('R1: nothing runs on when all is over', async () => {
  const before = process.cpuUsage()
  await Bun.sleep(2_000)
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1_000).toBeLessThan(400)
})
