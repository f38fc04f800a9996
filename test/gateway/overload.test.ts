import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { serve, until, type Served } from '../served.ts'
import type { Script } from '../upstream/script.ts'
import { Upstream } from '../upstream/server.ts'

/* R6: what cannot be taken is refused at once, in the caller's own protocol; what runs goes on to its end. */

const PLACES = 3
/** Promised is a second. */
const REFUSED_WITHIN_MS = 1_000
const user = [{ role: 'user', content: 'hello' }]
const chat = { model: 'm', max_tokens: 50, messages: user }
/** Two frames, then nothing until the client leaves. */
const ENDLESS: Script = { answer: { parts: [{ text: 'one two three four' }] }, cut: { after: 2, how: 'silence' } }

let served: Served
const upstream = await Upstream.start()
beforeAll(async () => {
  served = await serve()
  await served.site.sell(await served.site.addChannel({ baseUrl: upstream.url }), 'm')
}, 30_000)
beforeEach(async () => {
  upstream.reset()
  await limit(PLACES, 5)
})
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

async function limit(calls: number, queueSeconds: number): Promise<void> {
  await served.site.api('PUT', '/api/settings', {
    reliability_max_calls: String(calls),
    reliability_max_queue_seconds: String(queueSeconds),
  })
}

const ask = (more: object = {}, signal?: AbortSignal): Promise<Response> =>
  served.post('/v1/chat/completions', { ...chat, ...more }, signal && { signal })

/** A stream whose first bytes have arrived. */
async function open(): Promise<{ rest(): Promise<string>; leave(): void }> {
  const gone = new AbortController()
  const response = await ask({ stream: true }, gone.signal)
  expect(response.status).toBe(200)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let text = decoder.decode((await reader.read()).value, { stream: true })
  return {
    async rest() {
      for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value, { stream: true })
      return text
    },
    leave: () => gone.abort(),
  }
}

async function isFree(): Promise<boolean> {
  upstream.next({})
  const response = await ask()
  await response.text()
  return response.status === 200
}

test('one more than there are places is refused at once in each protocol, and a stream that is left makes room', async () => {
  upstream.always = ENDLESS
  const streams = [await open(), await open(), await open()]
  const refusals: [path: string, body: object, error: object][] = [
    ['/v1/chat/completions', chat, { error: { code: 'overloaded' } }],
    ['/v1/responses', { model: 'm', input: 'hello' }, { error: { code: 'service_unavailable' } }],
    ['/v1/messages', chat, { type: 'error', error: { type: 'api_error' } }],
    ['/v1beta/models/m:generateContent', { contents: [{ parts: [{ text: 'hello' }] }] }, { error: { code: 503, status: 'UNAVAILABLE' } }],
    ['/v1/embeddings', { model: 'm', input: 'hello' }, { error: { code: 'overloaded' } }],
  ]
  for (const [path, body, error] of refusals) {
    const began = performance.now()
    const response = await served.post(path, body)
    expect([path, response.status, response.headers.get('retry-after')]).toEqual([path, 503, '2'])
    expect(await response.json()).toMatchObject(error)
    expect(performance.now() - began).toBeLessThan(REFUSED_WITHIN_MS)
  }
  expect(upstream.received).toHaveLength(PLACES)
  const models = await fetch(`${served.url}/v1/models`, { headers: { authorization: `Bearer ${served.key}` } })
  expect(models.status).toBe(200)
  await models.text()
  streams[0]?.leave()
  expect(await until(isFree)).toBe(true)
  for (const { leave } of streams) leave()
})

test('a stream runs to its end while others are refused, and its end makes room', async () => {
  upstream.next(ENDLESS, ENDLESS, { answer: { parts: [{ text: 'one two three four five six' }] }, pieces: 6, pauseMs: 40 })
  const silent = [await open(), await open()]
  const running = await open()
  expect((await ask()).status).toBe(503)
  expect(await running.rest()).toEndWith('data: [DONE]\n\n')
  expect(await until(isFree)).toBe(true)
  for (const { leave } of silent) leave()
})

test('a call gives its place back however it ends', async () => {
  await limit(1, 5)
  const odd: (() => Promise<Response>)[] = [
    () => ask(),
    () => served.post('/v1/chat/completions', 'no JSON'),
    () => served.post('/v1/chat/completions', chat, { key: 'sk-nobody' }),
    () => ask({ model: 'unknown' }),
    () => served.post('/v1/nothing', {}),
    () => (upstream.next({ error: { status: 400, message: 'no' } }), ask()),
    () => (upstream.next({ error: { status: 400, message: 'no' } }), ask({ stream: true })),
    () => ask({ stream: true }),
  ]
  for (const one of odd) {
    const response = await one()
    expect(response.status).not.toBe(503)
    await response.text()
  }
  expect(await until(isFree)).toBe(true)
})

test('while the ledger does not keep up nothing new begins; what runs is charged and ends whole', async () => {
  await limit(0, 1)
  upstream.next({ answer: { parts: [{ text: 'one two three four five six' }] }, pieces: 6, pauseMs: 20 })
  const running = await open()
  const { writer } = served.test.deps.db
  const gate = Promise.withResolvers<void>()
  const blocked = writer.submit(() => gate.promise)
  expect(await until(() => writer.waitedMs > 1_000)).toBe(true)
  const asked = upstream.received.length
  const began = performance.now()
  const refused = await ask()
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2'])
  expect(performance.now() - began).toBeLessThan(REFUSED_WITHIN_MS)
  expect(upstream.received).toHaveLength(asked)
  gate.resolve()
  await blocked
  expect(await running.rest()).toEndWith('data: [DONE]\n\n')
  expect(await until(isFree)).toBe(true)
})
