import { crc32 } from 'node:zlib'
import { isObject, type Json } from '../../../contract/json.ts'
import { words } from '../../../contract/words.ts'

/** Total length, length of the headers, checksum of both (AWS "Event stream encoding": all big endian). */
const PRELUDE = 12
const CHECKSUM = 4
/** AWS allows 16 MiB of payload; one event of a model is some kilobytes. */
const MAX_MESSAGE = 16 * 1024 * 1024
/** Header values of type 7 are strings with a two-byte length; all that Bedrock sends are. */
const STRING = 7

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The stream is not what its content type says. */
class BadEventStream extends Error {
  override readonly name = 'BadEventStream'
}

/**
 * Bedrock's binary event stream as the server-sent events of the model's maker: a `chunk` holds one of them as base64, an
 * exception becomes an `error` event (Bedrock Runtime API, InvokeModelWithResponseStream). Pull-based, like what it reads.
 */
export function eventStreamToSse(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let pending: Uint8Array = new Uint8Array(0)
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const { text, rest } = take(pending)
            pending = rest
            if (text !== '') return controller.enqueue(encoder.encode(text))
            const { done, value } = await reader.read()
            if (done) {
              // Broken off inside a message: the reader of the events misses their end.
              controller.close()
              return
            }
            pending = pending.length === 0 ? value : joined(pending, value)
          }
        } catch (error) {
          await reader.cancel().catch(() => undefined)
          controller.error(error)
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

/** All whole messages at the start of the bytes, as text, and what is left. */
function take(bytes: Uint8Array): { text: string; rest: Uint8Array } {
  let text = ''
  let at = 0
  while (bytes.length - at >= PRELUDE) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at)
    const length = view.getUint32(0)
    if (crc32(bytes.subarray(at, at + 8)) !== view.getUint32(8)) throw new BadEventStream('the checksum of a prelude is wrong')
    if (length < PRELUDE + CHECKSUM || length > MAX_MESSAGE) throw new BadEventStream('a message of impossible length')
    if (bytes.length - at < length) break
    const message = bytes.subarray(at, at + length)
    if (crc32(message.subarray(0, length - CHECKSUM)) !== view.getUint32(length - CHECKSUM))
      throw new BadEventStream('the checksum of a message is wrong')
    text += frameOf(message, view.getUint32(4))
    at += length
  }
  return { text, rest: at === 0 ? bytes : bytes.slice(at) }
}

function frameOf(message: Uint8Array, headersLength: number): string {
  const headers = readHeaders(message.subarray(PRELUDE, PRELUDE + headersLength))
  const payload = parsed(message.subarray(PRELUDE + headersLength, message.length - CHECKSUM))
  const kind = headers.get(':message-type')
  if (kind === 'exception' || kind === 'error') return faultFrame(headers, payload)
  if (!isObject(payload) || typeof payload.bytes !== 'string') return ''
  const data = Buffer.from(payload.bytes, 'base64').toString('utf8')
  const event = parsed(encoder.encode(data))
  const type = isObject(event) && typeof event.type === 'string' ? event.type : undefined
  return `${type === undefined ? '' : `event: ${type}\n`}data: ${data.replaceAll('\n', ' ')}\n\n`
}

/** Exceptions of the stream by Anthropic's words for the same. */
const ERRORS = words<string>({
  throttlingException: 'rate_limit_error',
  validationException: 'invalid_request_error',
  serviceUnavailableException: 'overloaded_error',
  modelTimeoutException: 'timeout_error',
})

function faultFrame(headers: Map<string, string>, payload: Json | undefined): string {
  const name = headers.get(':exception-type') ?? headers.get(':error-code') ?? ''
  const said = isObject(payload) && typeof payload.message === 'string' ? payload.message : headers.get(':error-message')
  const error = { type: ERRORS[name] ?? 'api_error', message: said ?? `The upstream broke off (${name})` }
  return `event: error\ndata: ${JSON.stringify({ type: 'error', error })}\n\n`
}

function readHeaders(bytes: Uint8Array): Map<string, string> {
  const found = new Map<string, string>()
  let at = 0
  while (at < bytes.length) {
    const nameLength = bytes[at] ?? 0
    const name = decoder.decode(bytes.subarray(at + 1, at + 1 + nameLength))
    at += 1 + nameLength
    // A header of another type cannot be skipped without knowing its length; none that follows is needed then.
    if (bytes[at] !== STRING) break
    const length = ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    found.set(name, decoder.decode(bytes.subarray(at + 3, at + 3 + length)))
    at += 3 + length
  }
  return found
}

function parsed(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(decoder.decode(bytes)) as Json
  } catch {
    return undefined
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
