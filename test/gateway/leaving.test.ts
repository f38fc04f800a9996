import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type OpenAI from 'openai'
import { costOf, serve, until, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

const MODEL = 'shop-model'
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Tell me a story.' }]
const STORY = 'Once upon a time there was a gateway that counted every token and never lost one. '.repeat(8)

let served: Served
const upstream = await Upstream.start()

beforeAll(async () => {
  served = await serve()
  for (const [type, model] of [
    ['openai', MODEL],
    ['claude', 'claude-model'],
  ] as const) {
    const channel = await served.site.addChannel({ baseUrl: upstream.url, type, name: type })
    await served.site.sell(channel, model)
  }
})
beforeEach(() => upstream.reset())
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

describe('a client that leaves in the middle of a stream', () => {
  test('through the SDK: charged for what was produced, row says client_gone, the upstream is let go within a second', async () => {
    upstream.always = { answer: { parts: [{ text: STORY }] }, pieces: 40, pauseMs: 25 }
    const before = await served.balance()
    const { data, response } = await served.openai().chat.completions.create({ model: MODEL, messages, stream: true }).withResponse()
    let chunks = 0
    for await (const chunk of data) {
      void chunk
      chunks += 1
      if (chunks === 5) break
    }
    const left = performance.now()
    expect(await until(() => upstream.last.closedMs !== undefined)).toBe(true)
    expect((upstream.last.closedMs ?? Infinity) - left).toBeLessThan(1_000)
    const row = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
    expect(row).toMatchObject({ end_reason: 'client_gone', usage_source: 'estimated' })
    expect(row.charge_note).toContain('before the client left')
    expect(row.output_tokens).toBeGreaterThan(0)
    expect(row.output_tokens).toBeLessThan(60)
    expect(before - (await served.balance())).toBe(costOf(row))
  })

  test('a claude upstream stated its input at once: that count stands, the output is what was seen', async () => {
    upstream.always = { answer: { parts: [{ text: STORY }], tokens: { input: 5000, output: 400 } }, pieces: 40, pauseMs: 25 }
    const { data, response } = await served
      .openai()
      .chat.completions.create({ model: 'claude-model', messages, stream: true })
      .withResponse()
    let seen = 0
    for await (const chunk of data) {
      if (chunk.choices[0]?.delta.content) seen += 1
      if (seen === 5) break
    }
    const row = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
    expect(row).toMatchObject({ end_reason: 'client_gone', usage_source: 'estimated', input_tokens: 5000 })
    expect(row.output_tokens).toBeGreaterThan(1)
    expect(row.output_tokens).toBeLessThan(60)
  })

  test('before the first byte: nothing is charged and the upstream is let go', async () => {
    upstream.always = { delayMs: 'silence' }
    const controller = new AbortController()
    const call = served
      .post('/v1/chat/completions', { model: MODEL, messages, stream: true }, { signal: controller.signal })
      .catch(() => undefined)
    expect(await until(() => upstream.received.length === 1)).toBe(true)
    controller.abort()
    await call
    expect(await until(() => upstream.last.closedMs !== undefined)).toBe(true)
    await served.expectBooks()
    const [row] = await served.rows()
    expect(row).toMatchObject({ end_reason: 'client_gone', cost: '0', usage_source: 'none' })
  })

  test('40 aborts at random moments: every call has a row, the charge is the rule, the books are exact', async () => {
    upstream.always = { answer: { parts: [{ text: STORY }] }, pieces: 20, pauseMs: 5 }
    const before = await served.balance()
    let seed = 7
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed / 2_147_483_647
    }
    const ids = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const controller = new AbortController()
        const response = await served.post('/v1/chat/completions', { model: MODEL, messages, stream: true }, { signal: controller.signal })
        const bytes = random() * 6_000
        const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>
        for (let read = 0; read < bytes;) {
          const { value, done } = await reader.read()
          if (done) break
          read += value.length
        }
        controller.abort()
        return response.headers.get('x-tollgate-request-id') ?? ''
      }),
    )
    const rows = await Promise.all(ids.map((id) => served.row(id)))
    for (const row of rows) {
      expect(['client_gone', 'complete']).toContain(row.end_reason)
      if (row.end_reason === 'client_gone') expect(row.usage_source).not.toBe('upstream')
    }
    expect(rows.filter((row) => row.end_reason === 'client_gone').length).toBeGreaterThan(10)
    await served.expectBooks()
    expect(before - (await served.balance())).toBe(rows.reduce((sum, row) => sum + costOf(row), 0n))
    expect(await until(() => upstream.received.every(({ finished, closedMs }) => finished || closedMs !== undefined))).toBe(true)
  })
})

test('a whole answer whose client has left is read to its end and charged, as the upstream does', async () => {
  upstream.always = { delayMs: 200 }
  const controller = new AbortController()
  const call = served.post('/v1/chat/completions', { model: MODEL, messages }, { signal: controller.signal }).catch(() => undefined)
  expect(await until(() => upstream.received.length === 1)).toBe(true)
  controller.abort()
  await call
  expect(await until(() => upstream.last.finished)).toBe(true)
  await served.expectBooks()
  const [row] = await served.rows()
  expect(row).toMatchObject({ cost: '0.0001', usage_source: 'upstream', input_tokens: 12, output_tokens: 7 })
})

test('a client that stops reading stops the upstream, and may still leave', async () => {
  const text = 'word '.repeat(20_000)
  upstream.always = { answer: { parts: Array.from({ length: 400 }, () => ({ text })) }, pieces: 1 }
  const controller = new AbortController()
  const response = await served.post('/v1/chat/completions', { model: MODEL, messages, stream: true }, { signal: controller.signal })
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>
  await reader.read()
  // Without back pressure nothing stops it but its end: what the sockets in between take (a few megabytes of forty) comes first.
  const sent = await stillness(() => upstream.last.sent)
  expect(upstream.last.finished).toBe(false)
  expect(sent).toBeLessThan(400)
  controller.abort()
  expect(await served.row(response.headers.get('x-tollgate-request-id') ?? '')).toMatchObject({ end_reason: 'client_gone' })
  expect(await until(() => upstream.last.closedMs !== undefined)).toBe(true)
})

/** Waits until a number has not changed for a while. */
async function stillness(read: () => number, forMs = 500, withinMs = 15_000): Promise<number> {
  const end = performance.now() + withinMs
  for (let last = read(), since = performance.now(); ;) {
    await Bun.sleep(20)
    if (read() !== last) {
      last = read()
      since = performance.now()
    } else if (performance.now() - since > forMs) return last
    if (performance.now() > end) throw new Error(`still changing after ${withinMs} ms: ${last}`)
  }
}
