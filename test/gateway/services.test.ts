// long file: one operation after another, each with its price, read as a list
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { toFile } from 'openai'
import { serve, until, type Row, type Served } from '../served.ts'
import { startRawUpstream } from '../upstream/raw.ts'
import { startPlainUpstream } from '../upstream/plain.ts'

const upstream = startPlainUpstream()
let served: Served
let channel: number

const json = (body: unknown, status = 200): Response => Response.json(body, { status })
const PRICES = { input_price: '2', output_price: '10', image_input_price: '4', image_output_price: '40', audio_input_price: '8' }

beforeAll(async () => {
  served = await serve()
  channel = await served.site.addChannel({ baseUrl: `${upstream.url}/v1` })
  for (const model of ['embed', 'judge', 'rank', 'painter', 'gpt-image-x', 'voice', 'ear'])
    await served.site.sell(channel, model, PRICES, `up-${model}`)
  await served.site.api('POST', '/api/models', { model_name: 'by-the-piece', output_price: '0.04', quota_type: 1 })
  await served.site.sell(channel, 'by-the-piece')
  const claude = await served.site.addChannel({ baseUrl: upstream.url, type: 'claude', name: 'claude' })
  await served.site.sell(claude, 'only-claude')
})
beforeEach(() => {
  upstream.received.length = 0
})
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

/** The row of the newest call. */
async function newest(): Promise<Row> {
  const [row] = await served.rows()
  if (!row) throw new Error('no row')
  return served.row(row.request_id)
}

const post = (path: string, body: unknown, key?: string) => served.post(path, body, key === undefined ? {} : { key })

describe('embeddings', () => {
  test('go to the upstream under its model name and are billed by its own prompt tokens', async () => {
    upstream.answer = () =>
      json({
        object: 'list',
        model: 'up-embed',
        data: [{ object: 'embedding', index: 0, embedding: [0.5, 0.25] }],
        usage: { prompt_tokens: 1000, total_tokens: 1000 },
      })
    const { data, response } = await served
      .openai()
      .embeddings.create({ model: 'embed', input: 'hello', encoding_format: 'float' })
      .withResponse()
    expect([data.model, data.data[0]?.embedding]).toEqual(['embed', [0.5, 0.25]])
    expect([upstream.last.path, upstream.last.json?.model, upstream.last.headers.get('authorization')]).toEqual([
      '/v1/embeddings',
      'up-embed',
      'Bearer upstream-secret',
    ])
    const row = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
    expect(row).toMatchObject({
      endpoint: 'embeddings',
      input_tokens: 1000,
      output_tokens: 0,
      cost: '0.002',
      usage_source: 'upstream',
      end_reason: 'complete',
    })
    expect(response.headers.get('x-tollgate-cost')).toBe('0.002')
  })

  test('without stated usage the text is counted, and token ids count as what they are', async () => {
    upstream.answer = () => json({ object: 'list', model: 'up-embed', data: [] })
    await post('/v1/embeddings', { model: 'embed', input: ['hello world', 'hello world'] })
    expect(await newest()).toMatchObject({ usage_source: 'estimated', input_tokens: 5 })
    await post('/v1/embeddings', {
      model: 'embed',
      input: [
        [1, 2, 3],
        [4, 5],
      ],
    })
    expect(await newest()).toMatchObject({ usage_source: 'estimated', input_tokens: 5 })
  })

  test('a model that only a channel of another kind carries is refused with 400, at no cost', async () => {
    const answer = await post('/v1/embeddings', { model: 'only-claude', input: 'x' })
    expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([400, 'unsupported_endpoint'])
    expect(upstream.received.length).toBe(0)
  })

  test('a key without money is refused before the upstream is asked', async () => {
    const { secret } = await served.site.addKey({ quotaLimit: '0.0000001' })
    const answer = await post('/v1/embeddings', { model: 'embed', input: 'many words '.repeat(500) }, secret)
    expect([answer.status, upstream.received.length]).toEqual([402, 0])
  })

  test("a fault of the upstream is a 502 in OpenAI's shape and costs nothing; the customer's own is his 400 in its words", async () => {
    upstream.answer = () => json({ error: { message: 'stumbled', type: 'server_error' } }, 500)
    expect((await post('/v1/embeddings', { model: 'embed', input: 'x' })).status).toBe(502)
    expect(await newest()).toMatchObject({ status: 502, cost: '0', end_reason: 'upstream_error_before_content' })
    upstream.answer = () =>
      json({ error: { message: 'up-embed takes no dimensions', type: 'invalid_request_error', param: 'dimensions' } }, 400)
    const refused = await post('/v1/embeddings', { model: 'embed', input: 'x', dimensions: 3 })
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      { error: { message: 'embed takes no dimensions', param: 'dimensions' } },
    ])
    upstream.answer = () => json({ error: { message: 'broke', type: 'server_error' } })
    expect((await post('/v1/embeddings', { model: 'embed', input: 'x' })).status).toBe(502)
    expect((await newest()).cost).toBe('0')
  })

  test('the next channel is asked when the first one fails', async () => {
    const second = await served.site.addChannel({ baseUrl: `${upstream.url}/second/v1`, name: 'second', priority: 0 })
    await served.site.sell(second, 'embed', PRICES, 'second-embed')
    upstream.answer = ({ path }) =>
      path.startsWith('/second') ? json({ data: [], usage: { prompt_tokens: 7, total_tokens: 7 } }) : json({}, 503)
    expect((await post('/v1/embeddings', { model: 'embed', input: 'x' })).status).toBe(200)
    expect(upstream.last.json?.model).toBe('second-embed')
    expect((await newest()).attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'ok'])
    await served.site.api('DELETE', `/api/channels/${second}`)
  })
})

describe("Gemini's embeddings", () => {
  test("are translated for an upstream of OpenAI's kind, one and many", async () => {
    upstream.answer = () =>
      json({
        data: [
          { index: 1, embedding: [2] },
          { index: 0, embedding: [1] },
        ],
        usage: { prompt_tokens: 4, total_tokens: 4 },
      })
    const { embeddings } = await served
      .google()
      .models.embedContent({ model: 'embed', contents: ['one', 'two'], config: { outputDimensionality: 8 } })
    expect(embeddings?.map(({ values }) => values)).toEqual([[1], [2]])
    expect(upstream.last.json).toEqual({ model: 'up-embed', input: ['one', 'two'], encoding_format: 'float', dimensions: 8 })
    expect(await newest()).toMatchObject({ endpoint: 'batchEmbedContents', protocol: 'gemini', input_tokens: 4 })
    upstream.answer = () => json({ data: [{ index: 0, embedding: [1] }], usage: { prompt_tokens: 4, total_tokens: 4 } })
    const one = await post('/v1beta/models/embed:embedContent', { content: { parts: [{ text: 'one' }] } })
    expect(await one.json()).toEqual({ embedding: { values: [1] } })
  })

  test('are forwarded to a Gemini channel with its own model name everywhere', async () => {
    const gemini = await served.site.addChannel({ baseUrl: upstream.url, type: 'gemini', name: 'gemini' })
    await served.site.sell(gemini, 'gem/embed:1', PRICES, 'up-gem')
    upstream.answer = () => json({ embeddings: [{ values: [3] }] })
    const body = { requests: [{ model: 'models/gem/embed:1', content: { parts: [{ text: 'hello world' }] } }] }
    expect(await (await post('/v1beta/models/gem/embed:1:batchEmbedContents', body)).json()).toEqual({ embeddings: [{ values: [3] }] })
    expect([upstream.last.path, upstream.last.json]).toMatchObject([
      '/v1beta/models/up-gem:batchEmbedContents',
      { requests: [{ model: 'models/up-gem' }] },
    ])
    expect(await newest()).toMatchObject({ usage_source: 'estimated', input_tokens: 2 })
  })

  test("without content they are the caller's mistake in Google's shape", async () => {
    const answer = await post('/v1beta/models/embed:embedContent', {})
    expect([answer.status, ((await answer.json()) as { error: { status: string } }).error.status]).toEqual([400, 'INVALID_ARGUMENT'])
  })
})

test('moderations and reranks are billed by their input', async () => {
  upstream.answer = () => json({ id: 'm', model: 'up-judge', results: [] })
  await served.openai().moderations.create({ model: 'judge', input: 'hello world' })
  expect(await newest()).toMatchObject({ endpoint: 'moderations', input_tokens: 2, usage_source: 'estimated' })
  upstream.answer = () => json({ results: [], usage: { total_tokens: 50 } })
  await post('/v1/rerank', { model: 'rank', query: 'q', documents: ['a', { text: 'b' }] })
  expect([await newest(), upstream.last.path]).toMatchObject([
    { endpoint: 'rerank', input_tokens: 50, usage_source: 'upstream' },
    '/v1/rerank',
  ])
  upstream.answer = () => json({ results: [], meta: { tokens: { input_tokens: 60 } } })
  await post('/v1/rerank', { model: 'rank', query: 'q', documents: ['a'] })
  expect(await newest()).toMatchObject({ input_tokens: 60, usage_source: 'upstream' })
})

describe('pictures', () => {
  const prompt = 'A cat.'

  test('are billed by the usage that is stated, output as picture output', async () => {
    upstream.answer = () =>
      json({
        created: 1,
        data: [{ b64_json: 'AA==' }],
        usage: { input_tokens: 50, input_tokens_details: { text_tokens: 10, image_tokens: 40 }, output_tokens: 1000, total_tokens: 1050 },
      })
    await served.openai().images.generate({ model: 'gpt-image-x', prompt })
    // 10 x 2 + 40 x 4 + 1000 x 40 per million.
    expect(await newest()).toMatchObject({
      endpoint: 'images.generations',
      image_output_tokens: 1000,
      image_input_tokens: 40,
      cost: '0.04018',
    })
  })

  test('without usage each counts a million tokens, so that the price is one of a picture', async () => {
    await served.site.setBalance('1000')
    upstream.answer = () => json({ created: 1, data: [{ url: 'a' }, { url: 'b' }] })
    await served.openai().images.generate({ model: 'painter', prompt, n: 2 })
    expect(await newest()).toMatchObject({ usage_source: 'estimated', image_output_tokens: 2_000_000, cost: '80.000006' })
  })

  test('a number of pictures that is no number asks for one, whatever it is', async () => {
    upstream.answer = () => json({ created: 1, data: [{ b64_json: 'AA==' }] })
    for (const n of [{ toString: null }, { toString: 1, valueOf: 2 }, [[]], true, 'many', -1])
      expect((await post('/v1/images/generations', { model: 'by-the-piece', prompt: 'a', n })).status).toBe(200)
    expect((await newest()).cost).toBe('0.04')
  })

  test('sold by the piece, what came is counted, not what was asked for', async () => {
    upstream.answer = () => json({ created: 1, data: [{ url: 'a' }, { url: 'b' }] })
    await served.openai().images.generate({ model: 'by-the-piece', prompt, n: 3 })
    expect(await newest()).toMatchObject({ cost: '0.08', output_tokens: 0, snapshot: { items: 2 } })
  })

  test("an edit is forwarded byte for byte with the upstream's model name", async () => {
    upstream.answer = () => json({ created: 1, data: [{ url: 'a' }] })
    const bytes = new Uint8Array(100_000).map((_, index) => index % 251)
    const image = await toFile(bytes, 'cat.png', { type: 'image/png' })
    await served.openai().images.edit({ model: 'by-the-piece', prompt, image: [image, image], n: 1 })
    const form = await new Response(upstream.last.bytes as BodyInit, {
      headers: { 'content-type': upstream.last.headers.get('content-type') ?? '' },
    }).formData()
    expect([form.get('model'), form.get('prompt'), form.getAll('image[]').length, upstream.last.path]).toEqual([
      'by-the-piece',
      prompt,
      2,
      '/v1/images/edits',
    ])
    expect(Buffer.from(await (form.getAll('image[]')[1] as File).bytes()).equals(Buffer.from(bytes))).toBe(true)
    expect(await newest()).toMatchObject({ endpoint: 'images.edits', cost: '0.04' })
  })

  test('a stream of them is passed on and charged by the usage of its last event', async () => {
    const events = [
      { type: 'image_generation.partial_image', b64_json: 'AA==' },
      { type: 'image_generation.completed', b64_json: 'AA==', usage: { input_tokens: 10, output_tokens: 500, total_tokens: 510 } },
    ]
    upstream.answer = () =>
      new Response(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''), {
        headers: { 'content-type': 'text/event-stream' },
      })
    const seen: string[] = []
    for await (const event of await served.openai().images.generate({ model: 'gpt-image-x', prompt, stream: true })) seen.push(event.type)
    expect(seen).toEqual(events.map(({ type }) => type))
    expect(await newest()).toMatchObject({ stream: true, image_output_tokens: 500, usage_source: 'upstream', cost: '0.02002' })
  })
})

describe('sound', () => {
  test('speech comes through byte for byte and is charged by its characters', async () => {
    const bytes = new Uint8Array(300_000).map((_, index) => index % 253)
    upstream.answer = () => new Response(bytes, { headers: { 'content-type': 'audio/mpeg' } })
    const answer = await served.openai().audio.speech.create({ model: 'voice', voice: 'alloy', input: 'Grüße 🎉' })
    expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(bytes))).toBe(true)
    expect([answer.headers.get('content-type'), upstream.last.json?.model]).toEqual(['audio/mpeg', 'up-voice'])
    expect(await newest()).toMatchObject({ endpoint: 'audio.speech', input_tokens: 7, usage_source: 'estimated', cost: '0.000014' })
  })

  test('speech that breaks off is no whole answer, and is charged', async () => {
    const raw = startRawUpstream([
      { send: `HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 5000\r\n\r\n${'x'.repeat(1000)}` },
      { waitMs: 30 },
      { then: 'reset' },
    ])
    await served.site.sell(await served.site.addChannel({ baseUrl: raw.url, name: 'raw' }), 'hoarse', PRICES)
    const answer = await post('/v1/audio/speech', { model: 'hoarse', voice: 'alloy', input: 'hello' })
    expect(
      await answer.arrayBuffer().then(
        () => 'whole',
        () => 'broken',
      ),
    ).toBe('broken')
    await served.expectBooks()
    raw.stop()
    expect(await newest()).toMatchObject({ end_reason: 'upstream_error_after_content', cost: '0.00001' })
  })

  test('a listener who leaves stops the upstream and is charged', async () => {
    let stopped = false
    upstream.answer = () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            await Bun.sleep(5)
            controller.enqueue(new Uint8Array(1000))
          },
          cancel() {
            stopped = true
          },
        }),
        { headers: { 'content-type': 'audio/mpeg' } },
      )
    const leave = new AbortController()
    const answer = await served.post('/v1/audio/speech', { model: 'voice', voice: 'alloy', input: 'hello' }, { signal: leave.signal })
    await answer.body?.getReader().read()
    leave.abort()
    expect(await until(() => stopped, 2_000)).toBe(true)
    await served.expectBooks()
    expect(await newest()).toMatchObject({ end_reason: 'client_gone', cost: '0.00001' })
  })

  const recording = () => toFile(new Uint8Array(32_000).fill(65), 'talk.mp3', { type: 'audio/mpeg' })

  test('a transcription is billed by the tokens, else by the seconds that are stated, else by its size', async () => {
    upstream.answer = () =>
      json({
        text: 'hello world',
        usage: {
          type: 'tokens',
          input_tokens: 30,
          input_token_details: { text_tokens: 10, audio_tokens: 20 },
          output_tokens: 5,
          total_tokens: 35,
        },
      })
    const { text } = await served.openai().audio.transcriptions.create({ model: 'ear', file: await recording() })
    expect(text).toBe('hello world')
    expect(await newest()).toMatchObject({
      endpoint: 'audio.transcriptions',
      audio_input_tokens: 20,
      input_tokens: 30,
      output_tokens: 5,
      usage_source: 'upstream',
    })
    const form = await new Response(upstream.last.bytes as BodyInit, {
      headers: { 'content-type': upstream.last.headers.get('content-type') ?? '' },
    }).formData()
    expect([form.get('model'), (form.get('file') as File).size, (form.get('file') as File).name]).toEqual(['up-ear', 32_000, 'talk.mp3'])
    upstream.answer = () => json({ text: 'hello world', usage: { type: 'duration', seconds: 9 } })
    await served.openai().audio.transcriptions.create({ model: 'ear', file: await recording() })
    expect(await newest()).toMatchObject({ audio_input_tokens: 90, output_tokens: 2, usage_source: 'estimated' })
    upstream.answer = () => new Response('1\n00:00:00,000 --> 00:00:02,000\nhello world\n', { headers: { 'content-type': 'text/plain' } })
    const subtitles = await served.openai().audio.translations.create({ model: 'ear', file: await recording(), response_format: 'srt' })
    expect(String(subtitles)).toContain('hello world')
    expect(await newest()).toMatchObject({ endpoint: 'audio.translations', audio_input_tokens: 20, usage_source: 'estimated' })
  })

  test('a streamed transcript is charged by its last event', async () => {
    const events = [
      { type: 'transcript.text.delta', delta: 'hello' },
      { type: 'transcript.text.done', text: 'hello', usage: { type: 'tokens', input_tokens: 14, output_tokens: 3, total_tokens: 17 } },
    ]
    upstream.answer = () =>
      new Response(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''), {
        headers: { 'content-type': 'text/event-stream' },
      })
    const seen: string[] = []
    for await (const event of await served.openai().audio.transcriptions.create({ model: 'ear', file: await recording(), stream: true }))
      seen.push(event.type)
    expect(seen).toEqual(events.map(({ type }) => type))
    expect(await newest()).toMatchObject({ stream: true, input_tokens: 14, output_tokens: 3, usage_source: 'upstream' })
  })

  test("a form that is none, or has no model, is the caller's mistake", async () => {
    for (const [body, type] of [
      ['{}', 'application/json'],
      ['--x\r\nnothing', 'multipart/form-data; boundary=x'],
      ['--x--', 'multipart/form-data; boundary=x'],
    ] as const) {
      const answer = await served.post('/v1/audio/transcriptions', body, { headers: { 'content-type': type } })
      expect([type, answer.status, ((await answer.json()) as { error: { type: string } }).error.type]).toEqual([
        type,
        400,
        'invalid_request_error',
      ])
    }
    expect(upstream.received.length).toBe(0)
  })
})
