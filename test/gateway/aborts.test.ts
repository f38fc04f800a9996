import { afterAll, beforeAll, expect, test } from 'bun:test'
import { costOf, serve, until, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

/** promises.md M8: 1,000 aborts in the full lane, 200 in the normal one. */
const ABORTS = process.env['TEST_FULL'] === '1' ? 1_000 : 200
const PARALLEL = 100
/** 20 pieces with pauses, two seconds in all: longer than an upstream may be kept after its client left. */
const STORY = 'Once upon a time there was a gateway that counted every token and never lost one. '.repeat(8)
const STREAM_MS = 2_000
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
  upstream.always = { answer: { parts: [{ text: STORY }], tokens: { input: 30, output: 160 } }, pieces: 20, pauseMs: 100 }
})
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

const ask = (type: (typeof types)[number], text: string): [string, object] => {
  const messages = [{ role: 'user', content: text }]
  const bodies = {
    openai: ['/v1/chat/completions', { model: type, stream: true, messages }],
    'openai-responses': ['/v1/responses', { model: type, stream: true, input: text }],
    claude: ['/v1/messages', { model: type, stream: true, max_tokens: 500, messages }],
    gemini: [`/v1beta/models/${type}:streamGenerateContent?alt=sse`, { contents: [{ role: 'user', parts: [{ text }] }] }],
  } satisfies Record<string, [string, object]>
  return bodies[type]
}

let seed = 11
const random = (): number => {
  seed = (seed * 48_271) % 2_147_483_647
  return seed / 2_147_483_647
}

interface Left {
  id: string
  leftMs: number
  /** What it asked, by which the upstream's record is found. */
  text: string
}

/** Leaves after about so many bytes; when it left, by the clock that the upstream uses. */
async function abortAt(index: number, bytes: number): Promise<Left> {
  const text = `story-${index}.`
  const controller = new AbortController()
  const response = await served.post(...ask(types[index % 4] ?? 'openai', text), { signal: controller.signal })
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>
  let read = 0
  while (read < bytes) {
    const { value, done } = await reader.read()
    if (done) break
    read += value.length
  }
  controller.abort()
  return { id: response.headers.get('x-tollgate-request-id') ?? '', leftMs: performance.now(), text }
}

test(`M8: ${ABORTS} clients that leave at random bytes of four protocols: each has a row, the charge is the rule, the upstream is let go`, async () => {
  const before = await served.balance()
  const left: Left[] = []
  let next = 0
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (next < ABORTS) left.push(await abortAt(next++, random() * 3_000))
    }),
  )
  expect(await until(() => upstream.received.every(({ finished, closedMs }) => finished || closedMs !== undefined))).toBe(true)
  const closings: number[] = []
  let early = 0
  let finished = 0
  for (const { text, leftMs } of left) {
    const got = upstream.received.find((each) => each.text.includes(text))
    if (!got) throw new Error(`the upstream was not asked ${text}`)
    if (!got.finished) closings.push((got.closedMs ?? Infinity) - leftMs)
    // Who left in the first half left an upstream that had more than a second to go.
    if (leftMs - got.atMs >= STREAM_MS / 2) continue
    early += 1
    if (got.finished) finished += 1
  }
  closings.sort((a, b) => a - b)
  // A machine that stands still for a second must not fail the test; an upstream that is not let go does: it finishes all of them.
  expect(finished).toBeLessThan(Math.max(1, early / 10))
  expect(closings[Math.floor(closings.length / 2)] ?? Infinity).toBeLessThan(CLOSED_WITHIN_MS)
  console.log(`  ${closings.length} upstreams let go, the last after ${(closings.at(-1) ?? 0).toFixed(0)} ms`)
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
