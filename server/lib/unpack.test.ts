import { afterAll, beforeAll, expect, test } from 'bun:test'
import { brotliCompressSync, constants, createGzip, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { ManualClock } from '../../test/clock.ts'
import { publicFetch } from './outbound.ts'

const TEXT = JSON.stringify(Array.from({ length: 200 }, (_, index) => ({ index, text: crypto.randomUUID() })))
const BOMB_BYTES = 64 * 1024 * 1024
/** Far from both what a bomb of 64 MiB takes unpacked and what is measured (8 MiB). */
const GROWTH = 48 * 1024 * 1024
const fast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }
const pack: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  gzip: (bytes) => gzipSync(bytes, { level: 1 }),
  'X-GZip': (bytes) => gzipSync(bytes, { level: 1 }),
  deflate: (bytes) => deflateSync(bytes, { level: 1 }),
  br: (bytes) => brotliCompressSync(bytes, fast),
  zstd: (bytes) => zstdCompressSync(bytes),
}

let answer: (request: Request) => Response
let server: ReturnType<typeof Bun.serve>
let get: (headers?: Record<string, string>, signal?: AbortSignal) => Promise<Response>
beforeAll(() => {
  server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => answer(request) })
  const fetch = publicFetch(new ManualClock(), '127.0.0.1')
  get = (headers = {}, signal) => fetch(`http://127.0.0.1:${server.port}/`, { headers, ...(signal && { signal }) })
})
afterAll(() => server.stop(true))

const packedAnswer = (encoding: string, bytes: Uint8Array) => () =>
  new Response(pack[encoding]?.(bytes) as BodyInit, { status: 201, headers: { 'content-encoding': encoding, 'x-kept': 'yes' } })

test('nothing packed is asked for, unless the caller says so himself', async () => {
  answer = ({ headers }) => new Response(headers.get('accept-encoding'))
  expect(await (await get()).text()).toBe('identity')
  expect(await (await get({ 'accept-encoding': 'br' })).text()).toBe('br')
})

test.each(Object.keys(pack))('an answer in %s is read as it was written, with its status and headers', async (encoding) => {
  answer = packedAnswer(encoding, Buffer.from(TEXT))
  const response = await get()
  const { status, headers } = response
  expect([status, headers.get('x-kept'), headers.get('content-encoding'), headers.get('content-length')]).toEqual([201, 'yes', null, null])
  expect(await response.text()).toBe(TEXT)
})

test.each(Object.keys(pack))('a bomb in %s is given up, and memory does not grow by what it would unpack to', async (encoding) => {
  const bomb = packedAnswer(encoding, new Uint8Array(BOMB_BYTES))
  const ready = bomb()
  answer = () => ready
  const response = await get()
  Bun.gc(true)
  const before = process.memoryUsage().rss
  let peak = before
  let read = 0
  const all = async () => {
    if (!response.body) return
    for await (const chunk of response.body) {
      read += chunk.byteLength
      peak = Math.max(peak, process.memoryUsage().rss)
    }
  }
  expect(await all().catch(String)).toContain('unpacks to more than 100 times')
  expect(read).toBeLessThan(BOMB_BYTES / 2)
  expect(peak - before).toBeLessThan(GROWTH)
})

test('a body that breaks off while it is unpacked fails', async () => {
  answer = () => new Response(gzipSync(TEXT).subarray(0, 500), { headers: { 'content-encoding': 'gzip' } })
  expect(await (await get()).text().catch(() => 'failed')).toBe('failed')
})

test('events that are packed one by one are read one by one, and who stops reading ends the call', async () => {
  const gone = Promise.withResolvers<void>()
  const gzip = createGzip()
  answer = ({ signal }) => {
    signal.addEventListener('abort', () => gone.resolve())
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        gzip.on('data', (chunk: Uint8Array) => controller.enqueue(chunk))
      },
      cancel: () => gone.resolve(),
    })
    return new Response(body, { headers: { 'content-encoding': 'gzip' } })
  }
  gzip.write('data: 1\n\n')
  gzip.flush()
  const reader = (await get()).body?.getReader()
  const next = async () => Buffer.from((await reader?.read())?.value ?? new Uint8Array()).toString()
  expect(await next()).toBe('data: 1\n\n')
  gzip.write('data: 2\n\n')
  gzip.flush()
  expect(await next()).toBe('data: 2\n\n')
  await reader?.cancel()
  await gone.promise
})

test('an encoding that is not known is left to whoever reads the answer', async () => {
  answer = () => new Response('x', { headers: { 'content-encoding': 'made-up' } })
  const response = await get()
  expect([response.headers.get('content-encoding'), await response.text()]).toEqual(['made-up', 'x'])
})
