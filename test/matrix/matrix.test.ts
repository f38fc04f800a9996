import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { startBench, wires } from './bench.ts'
import { features } from './features.ts'

const bench = await startBench()
afterEach(() => bench.served.expectBooks())
afterAll(() => bench.close())

/** What may be lost on the way, by feature; everything else crosses whole. */
const LOSSY = new Set(['limits', 'tool-error', 'pdf', 'choice'])

for (const client of wires) {
  for (const upstream of wires) {
    describe(`${client} client on ${upstream} upstream`, () => {
      for (const { id, title, run } of features) {
        for (const stream of [false, true]) {
          test(`${title}, ${stream ? 'streamed' : 'whole'}`, async () => {
            const pair = bench.pair(client, upstream, stream)
            await run(pair)
            if (!LOSSY.has(id)) expect(pair.losses).toEqual([])
          })
        }
      }
    })
  }
}
