import OpenAI from 'openai'
import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import type { Fault } from '../canonical.ts'
import { WireError } from '../protocol.ts'
import { formatFrame } from '../sse.ts'
import { openaiChat } from './index.ts'
import { answers, CALL, jsonOf, ours, oursFrames, run, streams } from './test-kit.ts'

describe('peek', () => {
  test('tells what routing and the hold need', () => {
    expect(openaiChat.peek(ours('request-everything.json'), {})).toEqual({
      model: 'gpt-5.1',
      stream: true,
      maxOutputTokens: 4096,
      choices: 2,
      wantsUsage: true,
    })
    expect(openaiChat.peek({ model: 'm', max_tokens: 5, max_completion_tokens: null }, {})).toEqual({
      model: 'm',
      stream: false,
      maxOutputTokens: 5,
      choices: 1,
      wantsUsage: false,
    })
    expect(
      openaiChat.peek(
        { model: 'm', max_tokens: 5, max_completion_tokens: 7, n: 0, stream: 'yes', stream_options: { include_usage: 'x' } },
        {},
      ),
    ).toEqual({ model: 'm', stream: false, maxOutputTokens: 7, choices: 1, wantsUsage: false })
  })

  test('refuses a body without a model', () => {
    for (const model of [undefined, null, '', ' ', 5]) expect(() => openaiChat.peek({ model }, {})).toThrow(WireError)
  })
})

describe('patch', () => {
  test('replaces the model and asks for usage; all else is the very same', () => {
    const body = ours('request-everything.json')
    const before = structuredClone(body)
    const patched = openaiChat.patch(body, { model: 'upstream', stream: true })
    expect(patched).toEqual({ ...body, model: 'upstream', stream_options: { include_usage: true, include_obfuscation: false } })
    expect(patched.messages).toBe(body.messages)
    expect(body).toEqual(before)
    expect(openaiChat.patch({ model: 'm', messages: [] }, { model: 'n', stream: false })).toEqual({ model: 'n', messages: [] })
    expect(openaiChat.patch({ model: 'm', stream_options: null }, { model: 'n', stream: true })).toEqual({
      model: 'n',
      stream_options: { include_usage: true },
    })
  })
})

describe('endpoint', () => {
  test('does not double the version of a base', () => {
    const url = (base: string) => openaiChat.endpoint(base, { model: 'm', stream: false }).url
    expect(url('https://a.example')).toBe('https://a.example/v1/chat/completions')
    expect(url('https://a.example/v1/')).toBe('https://a.example/v1/chat/completions')
    expect(url('https://a.example/v1beta')).toBe('https://a.example/v1/chat/completions')
    expect(url('https://a.example/v1beta/openai')).toBe('https://a.example/v1beta/openai/chat/completions')
    expect(url('https://a.example/api/paas/v4')).toBe('https://a.example/api/paas/v4/chat/completions')
    expect(url('https://a.example/x/chat/completions?api-version=1')).toBe('https://a.example/x/chat/completions?api-version=1')
    expect(openaiChat.endpoint('https://a.example', { model: 'm', stream: false }).headers('sk-1')).toEqual({
      authorization: 'Bearer sk-1',
    })
  })
})

describe('tap', () => {
  for (const { name, frames } of streams()) {
    test(`finds the text, the usage and the end of a stream: ${name}`, () => {
      const found = frames.map((frame) => openaiChat.tap(frame))
      expect(found.at(-1)).toEqual({ text: '', content: false, end: true })
      const last = jsonOf(frames).findLast((chunk) => openaiChat.usage(chunk))
      expect(found.findLast((each) => each.usage)?.usage).toEqual(openaiChat.usage(last ?? {}) ?? {})
      expect(last).toBeDefined()
      expect(found.some((each) => each.content)).toBe(true)
      expect(found.filter((each) => each.finish).length).toBeGreaterThan(0)
      for (const each of found) expect(each.content).toBe(each.text !== '')
    })
  }

  test('marks the chunk that is there only for its usage', () => {
    const frames = oursFrames('answer.chunks.txt')
    expect(frames.map((frame) => openaiChat.tap(frame).usageOnly === true).lastIndexOf(true)).toBe(frames.length - 2)
    expect(frames.filter((frame) => openaiChat.tap(frame).usageOnly)).toHaveLength(1)
    expect(openaiChat.tap({ data: '{"choices":[],"prompt_filter_results":[]}' }).usageOnly).toBeUndefined()
    expect(
      openaiChat.tap({ data: '{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}' }).usageOnly,
    ).toBeUndefined()
  })

  test('sees errors, text completions, and nothing in what it does not know', () => {
    expect(openaiChat.tap({ data: '{"error":{"message":"busy","code":429}}' }).fault).toMatchObject({
      kind: 'rate_limit',
      status: 429,
      message: 'busy',
    })
    expect(openaiChat.tap({ event: 'error', data: '{"message":"busy"}' }).fault).toMatchObject({ message: 'busy' })
    expect(openaiChat.tap({ data: '{"choices":[{"text":"Hi","index":0,"finish_reason":"length"}]}' })).toEqual({
      text: 'Hi',
      content: true,
      finish: 'length',
    })
    for (const data of ['', 'x', '[]', 'null', '{}', '{"choices":5}', '{"choices":[null,{"delta":{"content":5}}]}']) {
      expect(openaiChat.tap({ data })).toEqual({ text: '', content: false })
    }
  })
})

describe('texts for counting', () => {
  test("a request's text has its messages and tools, and neither pictures nor framing", () => {
    const text = openaiChat.requestText(ours('request-everything.json'))
    for (const part of [
      'Be brief.',
      'You are a pirate.',
      'What is in these?',
      'Two lookups.',
      '{"at": "cat"}',
      'ls -l',
      'a cat',
      '"description":"Looks."',
      'And now?',
    ])
      expect(text).toContain(part)
    for (const part of ['iVBORw0KGgo', 'UklGRg', 'https://example.com', 'call_1', 'gpt-5.1', 'cache_control'])
      expect(text).not.toContain(part)
  })

  test("an answer's text has everything the model wrote", () => {
    const text = openaiChat.answerText(ours('answer.json'))
    for (const part of ['The weather', 'Two cities', '"Paris"', 'ls -l', 'I cannot.']) expect(text).toContain(part)
    for (const { body } of answers()) expect(openaiChat.answerText(body).length).toBeGreaterThan(0)
  })
})

describe('errors', () => {
  test("are read in every vendor's form", () => {
    const read = (status: number, body: JsonObject | JsonObject[] | string | undefined) => openaiChat.decodeError(status, body)
    expect(read(401, { error: { message: 'no', type: 'invalid_request_error', code: 'invalid_api_key', param: null } })).toEqual({
      kind: 'authentication',
      status: 401,
      message: 'no',
      code: 'invalid_api_key',
    })
    expect(read(404, { error: { message: 'no', type: 'invalid_request_error', code: 'model_not_found' } }).kind).toBe('not_found')
    expect(read(404, { error: { message: 'no', type: 'invalid_request_error' } }).kind).toBe('not_found')
    expect(read(429, { error: { message: 'pay', type: 'insufficient_quota', code: 'insufficient_quota' } })).toMatchObject({
      kind: 'insufficient_balance',
      status: 429,
    })
    expect(read(400, { error: { message: 'long', code: 'context_length_exceeded', param: 'messages' } })).toEqual({
      kind: 'invalid_request',
      status: 400,
      message: 'long',
      code: 'context_length_exceeded',
      param: 'messages',
    })
    expect(read(500, { error: 'plain' })).toEqual({ kind: 'upstream', status: 500, message: 'plain' })
    expect(read(503, { message: 'flat' })).toEqual({ kind: 'unavailable', status: 503, message: 'flat' })
    expect(read(422, { detail: [{ loc: ['body'] }] })).toEqual({ kind: 'invalid_request', status: 422, message: '[{"loc":["body"]}]' })
    expect(read(400, [{ error: { code: 400, message: 'list', status: 'INVALID_ARGUMENT' } }])).toMatchObject({
      kind: 'invalid_request',
      message: 'list',
    })
    expect(read(502, '<html>')).toMatchObject({ kind: 'upstream', status: 502 })
    expect(read(418, undefined)).toMatchObject({ kind: 'invalid_request', status: 418 })
    expect(read(200, { error: { code: 429, message: 'slow' } })).toMatchObject({ kind: 'rate_limit', status: 429 })
  })

  test('inside a success are found, and nothing else is taken for one', () => {
    expect(openaiChat.bodyFault?.({ error: { message: 'x', type: 'server_error' } })).toMatchObject({ kind: 'upstream', status: 500 })
    expect(openaiChat.bodyFault?.({ base_resp: { status_code: 1004, status_msg: 'login' } })).toMatchObject({
      message: 'login',
      status: 502,
    })
    for (const body of [ours('answer.json'), { error: null }, { error: '' }, { base_resp: { status_code: 0 } }, {}])
      expect(openaiChat.bodyFault?.(body)).toBeUndefined()
  })

  test('are written as OpenAI writes them', () => {
    const write = (kind: Fault['kind'], more: Partial<Fault> = {}) =>
      openaiChat.encodeError({ kind, status: 418, message: 'm', ...more }, 'req_1')
    expect(write('not_found')).toEqual({
      status: 418,
      body: { error: { message: 'm', type: 'invalid_request_error', param: null, code: 'model_not_found' } },
    })
    expect(write('authentication').body).toMatchObject({ error: { type: 'authentication_error', code: 'invalid_api_key' } })
    expect(write('insufficient_balance').body).toMatchObject({ error: { type: 'insufficient_quota', code: 'insufficient_quota' } })
    expect(write('rate_limit').body).toMatchObject({ error: { type: 'rate_limit_error' } })
    expect(write('internal').body).toMatchObject({ error: { type: 'server_error' } })
    expect(write('invalid_request', { param: 'messages', code: 'bad' }).body).toEqual({
      error: { message: 'm', type: 'invalid_request_error', param: 'messages', code: 'bad' },
    })
  })
})

describe("OpenAI's SDK", () => {
  const client = (respond: () => Response) =>
    new OpenAI({ apiKey: 'k', baseURL: 'http://gateway.invalid/v1', maxRetries: 0, fetch: () => Promise.resolve(respond()) })
  const ask = { model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }] }

  test('reads our streams', async () => {
    const events = run(openaiChat.decodeStream(), oursFrames('answer.chunks.txt'))
    const text = run(openaiChat.encodeStream(CALL), events).map(formatFrame).join(openaiChat.keepAlive)
    const sdk = client(() => new Response(text, { headers: { 'content-type': 'text/event-stream' } }))
    const whole = await sdk.chat.completions.stream({ ...ask, stream_options: { include_usage: true } }).finalChatCompletion()
    expect(whole.choices[0]?.message.content).toBe('The weather: \u4f60\u597d \u{1f600}')
    expect(
      whole.choices[0]?.message.tool_calls?.slice(0, 2).map((call) => call.type === 'function' && call.id + call.function.arguments),
    ).toEqual(['call_a{"city": "Paris"}', 'call_b{"city": "Oslo"}'])
    expect(whole.choices[1]?.message.refusal).toBe('I cannot.')
    expect(whole.usage).toMatchObject({
      prompt_tokens: 100,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { cached_tokens: 64 },
    })
    expect(whole.model).toBe('house-model')
  })

  test('throws our errors, before and inside a stream', async () => {
    const fault: Fault = { kind: 'not_found', status: 404, message: 'no such model' }
    const { status, body } = openaiChat.encodeError(fault, 'req_1')
    const refused = client(() => Response.json(body, { status }))
    const refusal = await refused.chat.completions.create(ask).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(refusal).toMatchObject({ status: 404, code: 'model_not_found', type: 'invalid_request_error' })
    const text = [...oursFrames('answer.chunks.txt').slice(0, 3), ...openaiChat.encodeStreamError(fault, 'req_1')].map(formatFrame).join('')
    const stream = await client(() => new Response(text, { headers: { 'content-type': 'text/event-stream' } })).chat.completions.create({
      ...ask,
      stream: true,
    })
    const reader = stream.toReadableStream().getReader()
    const read = async () => {
      while (!(await reader.read()).done) continue
    }
    await expect(read()).rejects.toThrow('no such model')
  })
})
