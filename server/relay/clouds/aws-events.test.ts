import { describe, expect, test } from 'bun:test'
import { crc32 } from 'node:zlib'
import { chunkMessage, eventMessage } from '../../../test/upstream/event-stream.ts'
import { eventStreamToSse } from './aws-events.ts'

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
    const bytes = Buffer.concat([chunkMessage(start), chunkMessage(delta)])
    expect(await sse([bytes])).toBe(expected)
    expect(await sse([...bytes].map((byte) => new Uint8Array([byte])))).toBe(expected)
    for (let at = 1; at < bytes.length; at += 7) expect(await sse([bytes.subarray(0, at), bytes.subarray(at)])).toBe(expected)
  })

  test('says an exception as an error event', async () => {
    const thrown = eventMessage(
      { ':message-type': 'exception', ':exception-type': 'throttlingException' },
      '{"message":"Too many requests"}',
    )
    expect(await sse([chunkMessage(start), thrown])).toEndWith(
      'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"Too many requests"}}\n\n',
    )
  })

  test('breaks off at a wrong checksum, and at a length no message has', async () => {
    const wrong = Buffer.from(chunkMessage(start))
    wrong[40] = (wrong[40] ?? 0) ^ 1
    expect(sse([wrong])).rejects.toThrow('the checksum of a message is wrong')
    const prelude = Buffer.from(chunkMessage(start))
    prelude[2] = (prelude[2] ?? 0) ^ 1
    expect(sse([prelude])).rejects.toThrow('the checksum of a prelude is wrong')
    const huge = new Uint8Array(16)
    new DataView(huge.buffer).setUint32(0, 0x7fffffff)
    new DataView(huge.buffer).setUint32(8, crc32(huge.subarray(0, 8)))
    expect(sse([huge])).rejects.toThrow('impossible length')
  })

  test('passes over messages that carry no piece of an answer', async () => {
    expect(await sse([eventMessage({ ':message-type': 'event', ':event-type': 'initial-response' }, '{}'), chunkMessage(delta)])).toBe(
      `event: ${delta.type}\ndata: ${JSON.stringify(delta)}\n\n`,
    )
  })
})
