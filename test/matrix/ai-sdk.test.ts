import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { startBench, wires } from './bench.ts'
import { features } from './features.ts'

const bench = await startBench()
afterEach(() => bench.served.expectBooks())
afterAll(() => bench.close())

/** What every user of the `ai` SDK does; with it nothing is lost in any pair. */
const USED = new Set(['text', 'tools', 'image', 'json', 'thinking', 'usage'])

for (const client of wires) {
  for (const upstream of wires) {
    describe(`the ai SDK's ${client} provider on ${upstream} upstream`, () => {
      for (const { id, title, run } of features) {
        if (!USED.has(id)) continue
        for (const stream of [false, true]) {
          test(`${title}, ${stream ? 'streamed' : 'whole'}`, async () => {
            const pair = bench.pair(client, upstream, stream, 'ai')
            await run(pair)
            expect(pair.losses).toEqual([])
          })
        }
      }
    })
  }
}
