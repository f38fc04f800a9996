import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { formatMoney, money } from '../../contract/money.ts'
import { serve, type Row, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'
import { sse, type Script } from '../upstream/script.ts'

/* What a hostile or unusual call is metered at: several answers at a price by the call, sound and pictures, answers that break off. */

/** A model sold by the call costs this much; others 2.5 and 10 a million. */
const BY_CALL = '0.04'
let served: Served
const upstream = await Upstream.start()
const messages = [{ role: 'user', content: 'Go.' }]

beforeAll(async () => {
  served = await serve()
  for (const name of ['pieces-chat', 'pieces-claude', 'pieces-gemini'])
    await served.site.api('POST', '/api/models', { model_name: name, output_price: BY_CALL, quota_type: 1 })
  const add = (type: string) => served.site.addChannel({ baseUrl: upstream.url, type, name: type })
  const chat = await add('openai')
  await served.site.sell(chat, 'pieces-chat')
  await served.site.sell(chat, 'chat')
  await served.site.sell(await add('claude'), 'pieces-claude')
  const gemini = await add('gemini')
  await served.site.sell(gemini, 'pieces-gemini')
  await served.site.sell(gemini, 'gemini', { input_price: '2.5', output_price: '10', image_output_price: '30' })
})
beforeEach(() => upstream.reset())
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

async function rowOf(path: string, body: object): Promise<{ row: Row; text: string }> {
  const response = await served.post(path, body)
  const text = await response.text().catch(() => '')
  return { row: await served.row(response.headers.get('x-tollgate-request-id') ?? ''), text }
}

const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
const choice = (index: number) => ({ index, message: { role: 'assistant', content: `answer ${index}` }, finish_reason: 'stop' })
const whole = (count: number): Script => ({
  reply: {
    body: {
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: Array.from({ length: count }, (_, i) => choice(i)),
      usage,
    },
  },
})
const chunk = (rest: object): string => sse({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...rest })
const events = (...frames: string[]): Script => ({
  reply: { headers: { 'content-type': 'text/event-stream' }, body: frames.join('') },
})
const streamed = (count: number): Script => {
  const each = (rest: object) =>
    Array.from({ length: count }, (_, index) => chunk({ choices: [{ index, delta: {}, finish_reason: null, ...rest }] }))
  return events(...each({ delta: { content: 'word' } }), ...each({ finish_reason: 'stop' }), chunk({ choices: [], usage }), sse('[DONE]'))
}

test('sold by the call, several answers cost what came of them: an upstream that ignores n gives one and is paid for one', async () => {
  const cost = async (path: string, body: object, script: Script): Promise<[number | undefined, string]> => {
    upstream.next(script)
    const { row } = await rowOf(path, body)
    return [row.lines[0]?.tokens, row.charged]
  }
  const chat = { model: 'pieces-chat', n: 3, max_tokens: 50, messages }
  const path = '/v1/chat/completions'
  for (const [stream, made] of [
    [false, whole],
    [true, streamed],
  ] as const) {
    expect(await cost(path, { ...chat, stream }, made(3))).toEqual([3, '0.12'])
    expect(await cost(path, { ...chat, stream }, made(2))).toEqual([2, '0.08'])
    expect(await cost(path, { ...chat, stream }, made(1))).toEqual([1, '0.04'])
    // Never more than was asked for.
    expect(await cost(path, { ...chat, stream, n: 2 }, made(3))).toEqual([2, '0.08'])
    // Protocols that have one answer only.
    const answer = { answer: { parts: [{ text: 'one' }] } }
    expect(await cost(path, { ...chat, stream, model: 'pieces-claude' }, answer)).toEqual([1, '0.04'])
    expect(await cost(path, { ...chat, stream, model: 'pieces-gemini' }, answer)).toEqual([1, '0.04'])
    expect(
      await cost(
        `/v1beta/models/pieces-gemini:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
        { contents: [{ role: 'user', parts: [{ text: 'Go.' }] }], generationConfig: { candidateCount: 3, maxOutputTokens: 50 } },
        answer,
      ),
    ).toEqual([1, '0.04'])
  }
})

test('base64 of sound is no text: a translated stream of sound without usage is counted by its transcript', async () => {
  const audio = (rest: object) => chunk({ choices: [{ index: 0, delta: { audio: { id: 'a', ...rest } }, finish_reason: null }] })
  const spoken = 'one two three four five six seven'
  const sound = 'QUJD'.repeat(20_000)
  upstream.next(
    events(
      audio({ transcript: spoken.slice(0, 13) }),
      audio({ data: sound }),
      audio({ transcript: spoken.slice(13) }),
      audio({ data: sound }),
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
      sse('[DONE]'),
    ),
  )
  const { row } = await rowOf('/v1/responses', { model: 'chat', stream: true, max_output_tokens: 50, input: 'Go.' })
  expect(row).toMatchObject({ end_reason: 'complete', usage_source: 'estimated', output_tokens: 7 })
})

test('a picture is content: a stream that breaks off behind one, with its tokens stated, is charged', async () => {
  const stated = { promptTokenCount: 10, candidatesTokenCount: 1290, totalTokenCount: 1300 }
  const picture = {
    candidates: [{ index: 0, content: { role: 'model', parts: [{ inlineData: { mimeType: 'image/png', data: 'QUJD' } }] } }],
    usageMetadata: { ...stated, candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }] },
  }
  const script = events(sse(picture), sse({ error: { code: 500, message: 'broken', status: 'INTERNAL' } }))
  // 10 input tokens at 2.5 and 1,290 of a picture at 30 a million.
  const cost = formatMoney(money(10n * 25_000n + 1290n * 300_000n))
  upstream.next(script)
  const own = await rowOf('/v1beta/models/gemini:streamGenerateContent?alt=sse', { contents: [{ role: 'user', parts: [{ text: 'Go.' }] }] })
  expect(own.row).toMatchObject({ end_reason: 'upstream_error_after_content', usage_source: 'upstream', charged: cost })
  upstream.next(script)
  const translated = await rowOf('/v1/chat/completions', { model: 'gemini', stream: true, messages })
  expect(translated.row).toMatchObject({ end_reason: 'upstream_error_after_content', charged: cost })
})
