import { afterAll, afterEach, expect, test } from 'bun:test'
import { mkdirSync } from 'node:fs'
import type { Loss } from '../../server/relay/protocols/canonical.ts'
import { modelOf, startBench, wires } from './bench.ts'
import { richRequests } from './rich.ts'

/** Writes the files anew instead of comparing: look at what changed before you commit. */
const UPDATE = process.env['UPDATE_SNAPSHOTS'] === '1'
const FOLDER = new URL('./losses/', import.meta.url).pathname

const bench = await startBench()
afterEach(() => bench.served.expectBooks())
afterAll(() => bench.close())

for (const client of wires) {
  for (const upstream of wires) {
    test(`what a full ${client} request loses on ${upstream} is told, and is what it was`, async () => {
      const pair = bench.pair(client, upstream, false)
      pair.provider.always = { answer: { parts: [{ thought: 'Hm.', seal: 'c2VhbA==' }, { text: '{"a":"b"}' }] } }
      const { path, body } = richRequests[client]
      const response = await bench.served.post(path.replace('MODEL', modelOf(upstream)), { model: modelOf(upstream), ...body })
      expect(response.status, await response.clone().text()).toBe(200)
      const losses = (await bench.served.row(response.headers.get('x-tollgate-request-id') ?? '')).losses as unknown as Loss[]
      // The header names each path that the row names.
      const dropped = response.headers.get('x-tollgate-dropped')?.split(', ') ?? []
      expect(dropped.toSorted()).toEqual([...new Set(losses.map((loss) => loss.path))].toSorted())
      if (client === upstream) expect(losses).toEqual([])
      const text = losses
        .map((loss) => `${loss.path}: ${loss.reason}\n`)
        .toSorted()
        .join('')
      const file = `${FOLDER}${client}-on-${upstream}.txt`
      if (UPDATE) {
        mkdirSync(FOLDER, { recursive: true })
        await Bun.write(file, text)
      }
      expect(text).toBe(await Bun.file(file).text())
    })
  }
}
