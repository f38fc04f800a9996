import { describe, expect, test } from 'bun:test'
import { crc32 } from 'node:zlib'
import { eventStreamToSse } from './aws-events.ts'

const encoder = new TextEncoder()

/** One message of the encoding, as AWS documents it. */
function message(headers: Record<string, string>, payload: string): Uint8Array {
  const head = Object.entries(headers).flatMap(([name, value]) => [
    name.length,
    ...encoder.encode(name),
    7,
    value.length >> 8,
    value.length & 255,
    ...encoder.encode(value),
  ])
  const body = encoder.encode(payload)
  const bytes = new Uint8Array(16 + head.length + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, bytes.length)
  view.setUint32(4, head.length)
  view.setUint32(8, crc32(bytes.subarray(0, 8)))
  bytes.set(head, 12)
  bytes.set(body, 12 + head.length)
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, bytes.length - 4)))
  return bytes
}

/** A piece of a model's answer as Bedrock wraps it. */
function chunk(event: object): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(event)).toString('base64')
  return message({ ':event-type': 'chunk', ':content-type': 'application/json', ':message-type': 'event' }, JSON.stringify({ bytes }))
}

function sse(pieces: Uint8Array[]): Promise<string> {
  return new Response(eventStreamToSse(new ReadableStream({ pull: (controller) => deliver(controller, pieces) }))).text()
}

function deliver(controller: ReadableStreamDefaultController<Uint8Array>, pieces: Uint8Array[]): void {
  const next = pieces.shift()
  if (next) controller.enqueue(next)
  else controller.close()
}

const start = { type: 'message_start', message: { id: 'msg_1' } }
const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Grüße 🌍' } }
const expected = [start, delta].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')

describe('the binary event stream of Bedrock', () => {
  test("becomes the maker's own events, whatever the split", async () => {
    const bytes = Buffer.concat([chunk(start), chunk(delta)])
    expect(await sse([bytes])).toBe(expected)
    expect(await sse([...bytes].map((byte) => new Uint8Array([byte])))).toBe(expected)
    for (let at = 1; at < bytes.length; at += 7) expect(await sse([bytes.subarray(0, at), bytes.subarray(at)])).toBe(expected)
  })

  test('says an exception as an error event', async () => {
    const thrown = message({ ':message-type': 'exception', ':exception-type': 'throttlingException' }, '{"message":"Too many requests"}')
    expect(await sse([chunk(start), thrown])).toEndWith(
      'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"Too many requests"}}\n\n',
    )
  })

  test('breaks off at a wrong checksum, and at a length no message has', async () => {
    const wrong = Buffer.from(chunk(start))
    wrong[40] = (wrong[40] ?? 0) ^ 1
    expect(sse([wrong])).rejects.toThrow('the checksum of a message is wrong')
    const prelude = Buffer.from(chunk(start))
    prelude[2] = (prelude[2] ?? 0) ^ 1
    expect(sse([prelude])).rejects.toThrow('the checksum of a prelude is wrong')
    const huge = new Uint8Array(16)
    new DataView(huge.buffer).setUint32(0, 0x7fffffff)
    new DataView(huge.buffer).setUint32(8, crc32(huge.subarray(0, 8)))
    expect(sse([huge])).rejects.toThrow('impossible length')
  })

  test('passes over messages that carry no piece of an answer', async () => {
    expect(await sse([message({ ':message-type': 'event', ':event-type': 'initial-response' }, '{}'), chunk(delta)])).toBe(
      `event: ${delta.type}\ndata: ${JSON.stringify(delta)}\n\n`,
    )
  })
})
