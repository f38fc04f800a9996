import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { APIError, type OpenAI } from 'openai'
import { serve, type Row, type Served } from '../served.ts'
import { startRawUpstream } from '../upstream/raw.ts'
import type { Script } from '../upstream/script.ts'
import { Upstream } from '../upstream/server.ts'

const MODEL = 'shop-model'
const COST = '0.0001'
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hello.' }]
const html = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html><body>Login</body></html>' }

/** Faults that come before anything of an answer: the next channel must be tried. */
const faults: Record<string, Script> = {
  '401': { error: { status: 401, message: 'bad key' } },
  '402': { error: { status: 402, message: 'no credit' } },
  '403': { error: { status: 403, message: 'forbidden' } },
  '404': { error: { status: 404, message: 'no such model' } },
  '408': { error: { status: 408, message: 'slow' } },
  '429': { error: { status: 429, message: 'slow down' } },
  '500': { error: { status: 500, message: 'broken' } },
  '502 in HTML': { reply: { ...html, status: 502 } },
  '503': { error: { status: 503, message: 'overloaded' } },
  '529': { error: { status: 529, message: 'overloaded' } },
  '200 in HTML': { reply: html },
  '200 with HTML called JSON': { reply: { body: html.body } },
  '200 with broken JSON': { reply: { body: '{"id":"x","choices":[{"index":0' } },
  '200 with nothing': { reply: { body: '' } },
  '200 with an error object': { reply: { body: { error: { message: 'quota of the pool used up', type: 'server_error' } } } },
  'a redirect': { reply: { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' } },
  silence: { delayMs: 'silence' },
}
/** The same for streams only. */
const streamFaults: Record<string, Script> = {
  'an error event first': { cut: { after: 0, how: 'error', message: 'overloaded' } },
  'a stream that ends before its first event': { cut: { after: 0, how: 'end' } },
}

let served: Served
const bad = await Upstream.start()
const good = await Upstream.start()
const raw = startRawUpstream()

beforeAll(async () => {
  served = await serve({ settings: { reliability_first_byte_timeout_seconds: 1, reliability_disable_after_failures: 1_000 } })
  const { site } = served
  const first = await site.addChannel({ baseUrl: `${bad.url}/v1`, name: 'bad', priority: 10 })
  const second = await site.addChannel({ baseUrl: `${good.url}/v1`, name: 'good', priority: 1 })
  await site.sell(first, MODEL, undefined, 'bad-model')
  await site.sell(second, MODEL, undefined, 'good-model')
  const refused = await Upstream.start()
  const dead = await site.addChannel({ baseUrl: `${refused.url}/v1`, name: 'dead', priority: 10 })
  await refused.stop()
  await site.sell(dead, 'model-of-dead')
  await site.sell(second, 'model-of-dead', undefined, 'good-model')
  const rawChannel = await site.addChannel({ baseUrl: `${raw.url}/v1`, name: 'raw', priority: 10 })
  await site.sell(rawChannel, 'model-of-raw')
  await site.sell(second, 'model-of-raw', undefined, 'good-model')
})
beforeEach(() => {
  bad.reset()
  good.reset()
})
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  await Promise.all([bad.stop(), good.stop()])
  raw.stop()
})

/** Makes a call that must succeed, and returns its row. */
async function succeed(model: string, stream: boolean): Promise<Row> {
  const response = await served.post('/v1/chat/completions', { model, messages, stream })
  const text = await response.text()
  expect(response.status, text).toBe(200)
  expect(text).toContain(stream ? '[DONE]' : 'Hello from the upstream.')
  return served.row(response.headers.get('x-tollgate-request-id') ?? '')
}

describe('the next channel answers, each is asked once, and the call is charged once', () => {
  for (const stream of [false, true]) {
    for (const [name, script] of Object.entries(stream ? { ...faults, ...streamFaults } : faults)) {
      test(`${name}, ${stream ? 'streamed' : 'whole'}`, async () => {
        bad.always = script
        const row = await succeed(MODEL, stream)
        expect([bad.received.length, good.received.length]).toEqual([1, 1])
        expect(row).toMatchObject({ cost: COST, channel_name: 'good', upstream_model_name: 'good-model', end_reason: 'complete' })
        expect(row.attempts.map(({ channel_name: channel, outcome }) => [channel, outcome])).toEqual([
          ['bad', 'failed'],
          ['good', 'ok'],
        ])
        expect(row.attempts[0]?.error).not.toBe('')
      })
    }
    test(`a refused connection, ${stream ? 'streamed' : 'whole'}`, async () => {
      expect((await succeed('model-of-dead', stream)).attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'ok'])
    })
  }

  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
  const broken = {
    'a connection that closes before headers': [{ then: 'fin' }],
    'a connection that breaks before headers': [{ then: 'reset' }],
    'a connection that breaks after headers': [{ send: `${head}content-length: 400\r\n\r\n` }, { waitMs: 20 }, { then: 'reset' }],
    'a body shorter than it claims': [{ send: `${head}content-length: 400\r\n\r\n{"id":"x"` }, { waitMs: 20 }, { then: 'fin' }],
    'a chunk that never ends': [{ send: `${head}transfer-encoding: chunked\r\n\r\nff\r\n{"id"` }, { waitMs: 20 }, { then: 'fin' }],
    'headers that stall': [{ send: head }, { then: 'silence' }],
    garbage: [{ send: 'SSH-2.0-OpenSSH_9.6\r\n' }, { then: 'fin' }],
  } as const
  for (const [name, steps] of Object.entries(broken)) {
    test(name, async () => {
      raw.steps = steps
      const before = raw.count
      expect((await succeed('model-of-raw', false)).attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'ok'])
      expect(raw.count - before).toBe(1)
    })
  }
})

describe("never after the first byte, never for the customer's own mistake", () => {
  test('a stream that breaks is not started again elsewhere', async () => {
    bad.always = { cut: { after: 2, how: 'break' } }
    const response = await served.post('/v1/chat/completions', { model: MODEL, messages, stream: true })
    const text = await response.text()
    expect(text).toContain('"error"')
    expect(text).not.toContain('[DONE]')
    expect(good.received).toHaveLength(0)
  })

  test('400, 413 and 422 of the upstream end the call', async () => {
    for (const status of [400, 413, 422]) {
      bad.always = { error: { status, message: 'the request is wrong' } }
      const response = await served.post('/v1/chat/completions', { model: MODEL, messages })
      expect(response.status).toBe(status === 413 ? 413 : 400)
    }
    expect(good.received).toHaveLength(0)
  })

  test('when every channel fails the SDK is told once, and every try is in the row', async () => {
    bad.always = { error: { status: 500, message: 'broken' } }
    good.always = { error: { status: 429, message: 'slow down', headers: { 'retry-after': '3' } } }
    const failure = await served
      .openai()
      .chat.completions.create({ model: MODEL, messages })
      .then(
        () => undefined,
        (error: unknown) => error,
      )
    if (!(failure instanceof APIError)) throw new Error('not refused')
    expect(failure.status).toBe(503)
    const row = await served.row(failure.headers?.get('x-tollgate-request-id') ?? '')
    expect(row.attempts.map(({ channel_name: channel, status }) => [channel, status])).toEqual([
      ['bad', 500],
      ['good', 429],
    ])
    expect(row).toMatchObject({ cost: '0', status: 503 })
    expect([bad.received.length, good.received.length]).toEqual([1, 1])
  })

  test('silence everywhere is 504 within the limit', async () => {
    bad.always = good.always = { delayMs: 'silence' }
    const began = performance.now()
    const response = await served.post('/v1/chat/completions', { model: MODEL, messages })
    expect(response.status).toBe(504)
    expect(performance.now() - began).toBeLessThan(2_600)
    expect(await served.row(response.headers.get('x-tollgate-request-id') ?? '')).toMatchObject({
      end_reason: 'timeout_before_content',
      cost: '0',
    })
  })
})
