import { crc32 } from 'node:zlib'

const encoder = new TextEncoder()

/** One message of AWS's event stream encoding, written from its documentation: prelude, headers of strings, payload, both checksums. */
export function eventMessage(headers: Record<string, string>, payload: string): Uint8Array<ArrayBuffer> {
  const head = Object.entries(headers).flatMap(([name, value]) => {
    const bytes = encoder.encode(value)
    return [name.length, ...encoder.encode(name), 7, bytes.length >> 8, bytes.length & 255, ...bytes]
  })
  const body = encoder.encode(payload)
  const message = new Uint8Array(16 + head.length + body.length)
  const view = new DataView(message.buffer)
  view.setUint32(0, message.length)
  view.setUint32(4, head.length)
  message.set(head, 12)
  message.set(body, 12 + head.length)
  return sealed(message)
}

/** A message with the checksums that its bytes have now. */
export function sealed(message: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(message.buffer, message.byteOffset, message.length)
  view.setUint32(8, crc32(message.subarray(0, 8)))
  view.setUint32(message.length - 4, crc32(message.subarray(0, message.length - 4)))
  return message
}

/** A piece of a model's answer as Bedrock wraps it. */
export function chunkMessage(event: object): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(JSON.stringify(event)).toString('base64')
  return eventMessage({ ':event-type': 'chunk', ':content-type': 'application/json', ':message-type': 'event' }, JSON.stringify({ bytes }))
}
