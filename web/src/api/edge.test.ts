import { expect, test } from 'bun:test'
import { parseErrorBody } from './http.ts'
import { readEvents } from './sse.ts'

async function eventsOf(bytes: Uint8Array, size: number) {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
      controller.close()
    },
  })
  const found = []
  for await (const event of readEvents(stream)) found.push(event)
  return found
}

test('events are the same however the bytes are split, with CRLF, comments, two data lines and no last newline', async () => {
  const bytes = new TextEncoder().encode(': hi\r\nevent: step\r\ndata: {"a":"中"}\r\n\r\ndata: one\ndata: two\n\nevent: done\ndata: {}')
  const whole = [
    { event: 'step', data: '{"a":"中"}' },
    { event: 'message', data: 'one\ntwo' },
    { event: 'done', data: '{}' },
  ]
  for (const size of [1, 2, 3, 7, bytes.length]) expect(await eventsOf(bytes, size)).toEqual(whole)
})

test("errors are read from the console's form, from the gateway's native form, and from a proxy's HTML", () => {
  expect(parseErrorBody('{"error":"Not found","code":"not_found","request_id":"r1","challenge":"c"}')).toEqual({
    message: 'Not found',
    code: 'not_found',
    requestId: 'r1',
    details: expect.objectContaining({ challenge: 'c' }),
  })
  expect(parseErrorBody('{"error":{"message":"Insufficient balance","type":"x","code":"insufficient_balance"}}')).toMatchObject({
    message: 'Insufficient balance',
    code: 'insufficient_balance',
    requestId: undefined,
  })
  expect(parseErrorBody('<html>502</html>')).toEqual({})
})
