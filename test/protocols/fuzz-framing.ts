import { isObject, type Json } from '../../contract/json.ts'
import { eventStreamToSse } from '../../server/relay/clouds/aws-events.ts'
import { framerFor } from '../../server/relay/protocols/gemini/index.ts'
import { protocols } from '../../server/relay/protocols/index.ts'
import { formatFrame, parseSse } from '../../server/relay/protocols/sse.ts'
import { chunkMessage, eventMessage, sealed } from '../upstream/event-stream.ts'
import { changed, numbers } from './fuzz.ts'
import { ownStreams } from './recorded.ts'

/** Pushes bytes of changed streams, cut anywhere, through the parser of server-sent events. @returns how many frames came out */
export function fuzzSse(frames: number, seed: number): number {
  const random = numbers(seed)
  const texts = ownStreams().flatMap((stream) => stream.frames.map(formatFrame))
  const encoder = new TextEncoder()
  let left = frames
  let found = 0
  while (left > 0) {
    const parser = parseSse()
    for (let index = 0; index < 50; index++, left--) {
      const bytes = encoder.encode(texts[random(texts.length)])
      if (random(3) === 0) bytes[random(bytes.length)] = random(256)
      const cut = random(bytes.length)
      found += parser.push(bytes.subarray(0, cut)).length + parser.push(bytes.subarray(cut)).length
    }
    found += parser.end().length
  }
  return found
}

/**
 * Reads changed messages of Bedrock's event stream, cut anywhere: bytes of their headers, lengths and payloads, most of them with right
 * checksums, so that what lies behind is reached. A stream that cannot be followed ends in its own error; any other is a fault.
 * @returns how many events came out
 */
export async function fuzzEventStream(messages: number, seed: number): Promise<number> {
  const random = numbers(seed)
  const own = ownStreams()
    .filter(({ by }) => by === 'claude')
    .flatMap(({ frames }) => frames.map(({ data }) => chunkMessage(JSON.parse(data) as object)))
  own.push(eventMessage({ ':message-type': 'exception', ':exception-type': 'throttlingException' }, '{"message":"slow"}'))
  own.push(eventMessage({ ':message-type': 'error', ':error-code': 'x', ':error-message': 'y' }, ''))
  let left = messages
  let events = 0
  while (left > 0) {
    const sent: Uint8Array[] = []
    for (let index = 1 + random(20); index > 0; index--, left--)
      sent.push(...spoiled(own[random(own.length)] ?? sealed(new Uint8Array(16))))
    const text = await new Response(eventStreamToSse(piecesOf(Buffer.concat(sent), random))).text().catch((error: unknown) => {
      if (!(error instanceof Error) || error.name !== 'BadEventStream') throw error
      return 'data: refused\n\n'
    })
    events += text.split('\n\n').length - 1
  }
  return events

  function spoiled(message: Uint8Array): Uint8Array[] {
    const copy = new Uint8Array(message)
    switch (random(8)) {
      case 0:
        copy[random(copy.length)] = random(256)
        return [copy]
      case 1:
        return [copy.subarray(0, random(copy.length))]
      case 2:
        copy[4 + random(4)] = random(256)
        return [sealed(copy)]
      case 3:
      case 4:
      case 5:
        for (let times = 1 + random(4); times > 0; times--) copy[12 + random(copy.length - 16)] = random(256)
        return [sealed(copy)]
      default:
        return [copy]
    }
  }
}

function piecesOf(bytes: Uint8Array, random: (below: number) => number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      const end = Math.min(bytes.length, at + 1 + random(4_000))
      controller.enqueue(bytes.subarray(at, end))
      at = end
    },
  })
}

/**
 * Changed streams of all makers as the JSON array that a Gemini client reads, white space between its items, broken off or whole: always
 * one array of what was written.
 * @returns how many items came out
 */
export function fuzzArray(frames: number, seed: number): number {
  const random = numbers(seed)
  const streams = ownStreams()
  const parsed = new Map(streams.flatMap((stream) => stream.frames.map((frame) => [frame, json(frame.data)])))
  let left = frames
  let items = 0
  while (left > 0) {
    const { by, frames: recorded } = streams[random(streams.length)] ?? { by: 'gemini' as const, frames: [] }
    const decoder = protocols[by].decodeStream()
    const encoder = protocols.gemini.encodeStream({ model: 'm', wantsUsage: true, created: 0, id: 'id', jsonArray: true })
    const framer = framerFor({ jsonArray: true })
    const written: string[] = []
    let text = ''
    const write = (data: string): void => {
      written.push(data)
      text += framer.write({ data })
      if (random(4) === 0) text += framer.keepAlive
    }
    for (const plain of recorded) {
      left--
      for (const frame of changed(plain, parsed, random))
        for (const event of decoder.push(frame)) for (const { data } of encoder.push(event)) write(data)
      if (random(200) === 0) break
    }
    for (const event of decoder.end()) for (const { data } of encoder.push(event)) write(data)
    const failed = { kind: 'upstream', status: 502, message: 'gone' } as const
    for (const { data } of random(3) === 0 ? protocols.gemini.encodeStreamError(failed, 'id') : encoder.end()) write(data)
    text += framer.end()
    const read = json(text)
    if (!Array.isArray(read) || read.length !== written.length || !read.every(isObject))
      throw new Error(`not the array of its items: ${text}`)
    items += read.length
  }
  return items
}

function json(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
