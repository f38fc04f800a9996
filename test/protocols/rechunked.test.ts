import { describe, expect, test } from 'bun:test'
import { protocols } from '../../server/relay/protocols/index.ts'
import type { Frame } from '../../server/relay/protocols/protocol.ts'
import { parseSse } from '../../server/relay/protocols/sse.ts'
import { bytesOf, cut, CUTS, LINE_ENDS, varied } from './rechunked.ts'
import { recordedStreams, type Recorded } from './recorded.ts'

/* Law d: how the bytes of a stream are cut changes none of its events. */

function read(pieces: readonly Uint8Array[]): Frame[] {
  const parser = parseSse()
  return [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()]
}

function eventsOf({ by }: Recorded, frames: readonly Frame[]): unknown[] {
  const decoder = protocols[by].decodeStream()
  return [...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()]
}

const recorded = recordedStreams()
/** R2's number: each recorded stream as it is, then again in other words until there are so many. */
const STREAMS = 500
const streams = Array.from({ length: STREAMS }, (_, index): Recorded => {
  const stream = recorded[index % recorded.length] ?? { by: 'claude', name: '', frames: [] }
  return index < recorded.length ? stream : varied(stream, index, false)
})

describe(`${STREAMS} streams, ${recorded.length} of them recorded, the others with characters of several bytes in their words`, () => {
  for (const how of CUTS)
    test(`cut ${how}: the same frames and events`, () => {
      for (const [index, told] of streams.entries()) {
        const lineEnd = LINE_ENDS[index % 3] ?? '\n'
        const frames = read(cut(bytesOf(told.frames, lineEnd), how, index))
        if (!Bun.deepEquals(frames, told.frames)) expect([told.name, how, lineEnd, frames]).toEqual([told.name, how, lineEnd, told.frames])
        if (how === 'anywhere') expect(eventsOf(told, frames)).toEqual(eventsOf(told, told.frames))
      }
    })

  test('an event of 1 MiB, cut in all ways', () => {
    for (const how of CUTS) {
      const stream = varied(streams[0] ?? { by: 'claude', name: '', frames: [] }, 5, true)
      const bytes = bytesOf(stream.frames, '\r\n')
      expect(bytes.length).toBeGreaterThan(1024 * 1024)
      expect(Bun.deepEquals(read(cut(bytes, how, 5)), stream.frames)).toBe(true)
    }
  })
})
