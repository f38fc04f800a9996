import { afterAll, beforeAll, expect, test } from 'bun:test'
import { costOf, serve, until, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

/** promises.md M8: 1,000 aborts in the full lane, 200 in the normal one. */
const ABORTS = process.env['TEST_FULL'] === '1' ? 1_000 : 200
const PARALLEL = 40
/** 20 pieces with pauses: about a tenth of a second. */
const STORY = 'Once upon a time there was a gateway that counted every token and never lost one. '.repeat(8)
const CLOSED_WITHIN_MS = 1_000
const OUTPUT_PRICE = 100_000n

let served: Served
const upstream = await Upstream.start()
const types = ['openai', 'openai-responses', 'claude', 'gemini'] as const

beforeAll(async () => {
  served = await serve()
  for (const type of types)
    await served.site.sell(await served.site.addChannel({ baseUrl: upstream.url, type, name: type }), type, {
      input_price: '2.5',
      output_price: '10',
    })
  upstream.always = { answer: { parts: [{ text: STORY }], tokens: { input: 30, output: 160 } }, pieces: 20, pauseMs: 5 }
})
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

const ask = (type: (typeof types)[number]): [string, object] => {
  const messages = [{ role: 'user', content: 'Tell me a story.' }]
  const bodies = {
    openai: ['/v1/chat/completions', { model: type, stream: true, messages }],
    'openai-responses': ['/v1/responses', { model: type, stream: true, input: 'Tell me a story.' }],
    claude: ['/v1/messages', { model: type, stream: true, max_tokens: 500, messages }],
    gemini: [
      `/v1beta/models/${type}:streamGenerateContent?alt=sse`,
      { contents: [{ role: 'user', parts: [{ text: 'Tell me a story.' }] }] },
    ],
  } satisfies Record<string, [string, object]>
  return bodies[type]
}

let seed = 11
const random = (): number => {
  seed = (seed * 48_271) % 2_147_483_647
  return seed / 2_147_483_647
}

/** Leaves after about so many bytes; when it left, by the clock that the upstream uses. */
async function abortAt(type: (typeof types)[number], bytes: number): Promise<{ id: string; leftMs: number; read: number }> {
  const controller = new AbortController()
  const response = await served.post(...ask(type), { signal: controller.signal })
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>
  let read = 0
  while (read < bytes) {
    const { value, done } = await reader.read()
    if (done) break
    read += value.length
  }
  controller.abort()
  return { id: response.headers.get('x-tollgate-request-id') ?? '', leftMs: performance.now(), read }
}

test(`M8: ${ABORTS} clients that leave at random bytes of four protocols: each has a row, the charge is the rule, the upstream is let go`, async () => {
  const before = await served.balance()
  const left: { id: string; leftMs: number; read: number }[] = []
  let next = 0
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (next < ABORTS) left.push(await abortAt(types[next++ % 4] ?? 'openai', random() * 5_000))
    }),
  )
  const last = Math.max(...left.map(({ leftMs }) => leftMs))
  expect(await until(() => upstream.received.every(({ finished, closedMs }) => finished || closedMs !== undefined), CLOSED_WITHIN_MS)).toBe(
    true,
  )
  for (const { finished, closedMs = Infinity } of upstream.received) if (!finished) expect(closedMs - last).toBeLessThan(CLOSED_WITHIN_MS)
  await served.expectBooks()
  const rows = await Promise.all(left.map(({ id }) => served.row(id)))
  const gone = rows.filter((row) => row.end_reason === 'client_gone')
  expect(gone.length).toBeGreaterThan(ABORTS / 4)
  for (const row of rows) {
    expect(['client_gone', 'complete']).toContain(row.end_reason)
    // Whole: as the upstream says. Left early: what was produced until then, at most all of it; nothing produced, nothing charged.
    if (row.end_reason === 'complete') expect([row.usage_source, row.input_tokens, row.output_tokens]).toEqual(['upstream', 30, 160])
    else if (row.usage_source === 'none') expect(costOf(row)).toBe(0n)
    else {
      expect(row.output_tokens).toBeLessThanOrEqual(170)
      expect(costOf(row)).toBe(BigInt(row.input_tokens) * 25_000n + BigInt(row.output_tokens) * OUTPUT_PRICE)
    }
  }
  expect(before - (await served.balance())).toBe(rows.reduce((sum, row) => sum + costOf(row), 0n))
}, 600_000)
