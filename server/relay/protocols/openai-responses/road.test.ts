import { describe, expect, test } from 'bun:test'
import { isObject, type JsonObject } from '../../../../contract/json.ts'
import { EMPTY_USAGE, totalInput, totalOutput } from '../../../../contract/meters.ts'
import type { Fault, Loss } from '../canonical.ts'
import { mergeTapUsage } from '../merge-usage.ts'
import { WireError } from '../protocol.ts'
import { openaiResponses } from './index.ts'
import { dataOf, fixtures, frames, json, ours, ourStream, streamsOf } from './test-kit.ts'
import { writeUsage } from './usage.ts'

describe('peek', () => {
  test('finds model, stream and cap', () => {
    expect(openaiResponses.peek({ model: 'm', stream: true, max_output_tokens: 9 }, {})).toEqual({
      model: 'm',
      stream: true,
      maxOutputTokens: 9,
      choices: 1,
      wantsUsage: true,
    })
    expect(openaiResponses.peek({ model: 'm', max_output_tokens: -1 }, {})).toEqual({
      model: 'm',
      stream: false,
      choices: 1,
      wantsUsage: true,
    })
    for (const model of [undefined, null, 7, '']) expect(() => openaiResponses.peek({ model }, {})).toThrow(WireError)
  })
})

describe('patch', () => {
  test('changes the model and nothing else, and gives the same body where nothing changes', () => {
    const body = ours('request-everything.json')
    const patched = openaiResponses.patch(body, { model: 'other', stream: false })
    expect(patched).toEqual({ ...ours('request-everything.json'), model: 'other' })
    expect(patched.input).toBe(body.input)
    expect(openaiResponses.patch(body, { model: 'gpt-5.4', stream: false })).toBe(body)
    expect(openaiResponses.patch({ model: 'm', input: 'x' }, { model: 'm', stream: true })).toEqual({
      model: 'm',
      input: 'x',
      stream: true,
    })
  })

  test('takes out what other makers sealed, with a loss, and touches no other item', () => {
    const plain = { role: 'user', content: 'x' }
    const losses: Loss[] = []
    const body = {
      model: 'm',
      input: [
        plain,
        { type: 'reasoning', summary: [], encrypted_content: 'tg1.claude.AA' },
        { type: 'reasoning', summary: [], encrypted_content: 'gAAAA' },
        { type: 'function_call', call_id: 'c.tg1.gemini.AA', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c.tg1.gemini.AA', output: '1' },
      ],
    }
    const { input } = openaiResponses.patch(body, { model: 'm', stream: false, losses })
    expect(input).toEqual([
      plain,
      { type: 'reasoning', summary: [], encrypted_content: 'gAAAA' },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: '1' },
    ])
    expect(Array.isArray(input) && input[0] === plain).toBe(true)
    expect(losses.map((loss) => loss.path)).toEqual(['input[1].encrypted_content', 'input[3].call_id'])
  })
})

test('endpoint keeps one version in the path and sends a bearer key', () => {
  for (const base of ['https://api.example.com', 'https://api.example.com/', 'https://api.example.com/v1', 'https://api.example.com/v1/']) {
    const { url, headers } = openaiResponses.endpoint(base, { model: 'm', stream: false })
    expect([url, headers('k')]).toEqual(['https://api.example.com/v1/responses', { authorization: 'Bearer k' }])
  }
})

describe('usage', () => {
  const of = (usage: JsonObject) => openaiResponses.usage({ usage })

  test('is disjoint and sums to the total of every recorded answer', () => {
    let seen = 0
    for (const { path } of fixtures('.json')) {
      const body = json(path)
      const raw = isObject(body.usage) ? body.usage : undefined
      const usage = openaiResponses.usage(body)
      if (!usage || typeof raw?.total_tokens !== 'number') continue
      seen++
      expect(totalInput(usage) + totalOutput(usage)).toBe(raw.total_tokens)
    }
    expect(seen).toBeGreaterThan(3)
  })

  test("adds Claude's cache keys only where the total proves that they lie outside the input (W77, W78)", () => {
    expect(
      of({ input_tokens: 100, output_tokens: 10, total_tokens: 110, cache_read_input_tokens: 40, cache_creation_input_tokens: 20 }),
    ).toEqual({ ...EMPTY_USAGE, input: 40, cachedInput: 40, cacheWrite: 20, output: 10 })
    expect(
      of({ input_tokens: 100, output_tokens: 10, total_tokens: 170, cache_read_input_tokens: 40, cache_creation_input_tokens: 20 }),
    ).toEqual({ ...EMPTY_USAGE, input: 100, cachedInput: 40, cacheWrite: 20, output: 10 })
    expect(of({ input_tokens: 10, output_tokens: 1, cache_read_input_tokens: 40 })).toEqual({
      ...EMPTY_USAGE,
      input: 10,
      cachedInput: 40,
      output: 1,
    })
  })

  test('tells lifetimes of writes apart without counting one twice (W79)', () => {
    expect(
      of({
        input_tokens: 100,
        output_tokens: 1,
        total_tokens: 101,
        input_tokens_details: { cache_write_tokens: 30, cache_write_tokens_details: { ttl_12h_tokens: 10, ttl_30m_tokens: 20 } },
      }),
    ).toEqual({ ...EMPTY_USAGE, input: 70, cacheWrite: 20, cacheWrite1h: 10, output: 1 })
    expect(
      of({ input_tokens: 100, output_tokens: 1, total_tokens: 101, cache_creation_input_tokens: 30, cache_creation_1h_input_tokens: 10 }),
    ).toEqual({ ...EMPTY_USAGE, input: 70, cacheWrite: 20, cacheWrite1h: 10, output: 1 })
  })

  test('counts what a total has beyond both sides as output, and images and sound apart', () => {
    expect(of({ input_tokens: 10, output_tokens: 5, total_tokens: 22, output_tokens_details: { reasoning_tokens: 7 } })).toEqual({
      ...EMPTY_USAGE,
      input: 10,
      output: 12,
      reasoning: 7,
    })
    expect(
      of({
        input_tokens: 10,
        output_tokens: 8,
        input_tokens_details: { image_tokens: 3, audio_tokens: 2 },
        output_tokens_details: { image_tokens: 4, audio_tokens: 1 },
      }),
    ).toEqual({ ...EMPTY_USAGE, input: 5, imageInput: 3, audioInput: 2, output: 3, imageOutput: 4, audioOutput: 1 })
  })

  test('takes what is no count for not said', () => {
    expect(of({ input_tokens: -1, output_tokens: 5 })).toBeUndefined()
    expect(
      of({ input_tokens: 1, output_tokens: 5, input_tokens_details: { cached_tokens: Number.NaN, cache_write_tokens: 2 ** 60 } }),
    ).toEqual({ ...EMPTY_USAGE, input: 1, output: 5 })
    expect(of({ input_tokens: 5, output_tokens: 1, input_tokens_details: { cached_tokens: 9 } })).toEqual({
      ...EMPTY_USAGE,
      cachedInput: 5,
      output: 1,
    })
    expect(openaiResponses.usage({ usage: null })).toBeUndefined()
  })

  test('survives being written and read', () => {
    const usage = {
      input: 1,
      output: 20,
      cachedInput: 3,
      cacheWrite: 4,
      cacheWrite1h: 5,
      imageInput: 6,
      imageOutput: 7,
      audioInput: 8,
      audioOutput: 9,
      reasoning: 10,
    }
    expect(of(writeUsage(usage))).toEqual(usage)
  })
})

describe('tap', () => {
  test('finds text, usage and end in every recorded stream, as its decoder does', () => {
    for (const { path } of fixtures('.chunks.txt')) {
      for (const stream of streamsOf(path)) {
        const usage = {}
        let end = false
        for (const frame of stream) {
          const found = openaiResponses.tap(frame)
          const unnamed = openaiResponses.tap({ data: frame.data })
          expect(unnamed.text).toBe(found.text)
          mergeTapUsage(usage, found)
          end ||= found.end ?? false
        }
        const [last] = dataOf(stream.slice(-1))
        const whole = isObject(last?.response) ? openaiResponses.usage(last.response) : undefined
        expect(usage).toEqual(whole ?? {})
        expect(end).toBe(isObject(last?.response) && last.response.status !== 'in_progress')
      }
    }
  })

  test('tells words, thoughts and arguments alike', () => {
    const texts = ourStream('answer-full.chunks.txt')
      .map((frame) => openaiResponses.tap(frame).text)
      .join('')
    for (const word of ['The city is Bonn.', 'It rains in Bönn, says 天気.', '{"city":"Bonn"}', '*** Begin Patch'])
      expect(texts).toContain(word)
  })

  test('tells how it ended', () => {
    const tapped = (event: JsonObject) => frames(event).map((frame) => openaiResponses.tap(frame))[0]
    expect(tapped({ type: 'response.completed', response: { status: 'completed' } })).toEqual({
      text: '',
      content: false,
      end: true,
      finish: 'completed',
    })
    expect(
      tapped({ type: 'response.incomplete', response: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } } }),
    ).toMatchObject({ end: true, finish: 'max_output_tokens' })
    expect(tapped({ type: 'error', message: 'x', code: 'server_error' })).toMatchObject({
      end: true,
      fault: { kind: 'upstream', message: 'x' },
    })
    expect(tapped({ type: 'response.failed', response: { error: { code: 'server_error', message: 'y' } } })).toMatchObject({
      end: true,
      fault: { message: 'y' },
    })
    expect(openaiResponses.tap({ data: '[DONE]' })).toEqual({ text: '', content: false })
  })
})

describe('errors', () => {
  test('of an upstream are told apart by code, status and type', () => {
    const kind = (status: number, error: JsonObject) => {
      const fault = openaiResponses.decodeError(status, { error })
      return [fault.kind, fault.status]
    }
    expect(kind(429, { code: 'insufficient_quota', type: 'insufficient_quota' })).toEqual(['insufficient_balance', 429])
    expect(kind(429, { code: 'rate_limit_exceeded', type: 'tokens' })).toEqual(['rate_limit', 429])
    expect(kind(401, { code: 'invalid_api_key', type: 'invalid_request_error' })).toEqual(['authentication', 401])
    expect(kind(404, { code: null, type: 'invalid_request_error' })).toEqual(['not_found', 404])
    expect(kind(400, { code: 'content_policy_violation' })).toEqual(['content_policy', 400])
    expect(kind(400, { code: 'context_length_exceeded' })).toEqual(['invalid_request', 400])
    expect(kind(503, { code: 'server_is_overloaded' })).toEqual(['overloaded', 503])
    expect(kind(500, { type: 'server_error' })).toEqual(['upstream', 500])
    expect(kind(0, { code: 'invalid_prompt' })).toEqual(['invalid_request', 400])
    expect(openaiResponses.decodeError(502, '<html>')).toMatchObject({ kind: 'upstream', status: 502 })
    expect(openaiResponses.decodeError(400, { error: 'plain' })).toMatchObject({ kind: 'invalid_request', message: 'plain' })
  })

  test('inside a success are found', () => {
    expect(openaiResponses.bodyFault?.({ status: 'failed', error: { code: 'server_error', message: 'x' } })).toMatchObject({
      kind: 'upstream',
      status: 502,
      message: 'x',
    })
    expect(openaiResponses.bodyFault?.(ours('answer-full.json'))).toBeUndefined()
  })

  test("are written as OpenAI's object with the codes clients act on", () => {
    const written = (kind: Fault['kind'], status: number, code?: string) =>
      openaiResponses.encodeError({ kind, status, message: 'm', ...(code ? { code } : {}) }, 'req_1')
    expect(written('not_found', 404)).toEqual({
      status: 404,
      body: { error: { message: 'm', type: 'invalid_request_error', param: null, code: 'model_not_found' } },
    })
    expect(written('insufficient_balance', 402).body).toMatchObject({ error: { type: 'insufficient_quota', code: 'insufficient_quota' } })
    expect(written('rate_limit', 429, 'rate_limit_error').body).toMatchObject({ error: { code: 'rate_limit_exceeded' } })
    expect(written('overloaded', 503, 'overloaded_error').body).toMatchObject({ error: { code: 'server_is_overloaded' } })
    expect(written('invalid_request', 400, 'context_length_exceeded').body).toMatchObject({ error: { code: 'context_length_exceeded' } })
    expect(written('invalid_request', 400, 'INVALID_ARGUMENT').body).toMatchObject({ error: { code: null } })
  })

  test('end a stream with what SDKs throw and what Codex reads', () => {
    const written = openaiResponses.encodeStreamError({ kind: 'timeout', status: 504, message: 'm' }, 'req_1')
    expect(written.map((frame) => frame.event)).toEqual(['error', 'response.failed'])
    expect(dataOf(written)).toMatchObject([
      { type: 'error', message: 'm', code: 'timeout' },
      { response: { id: 'resp_req1', status: 'failed', error: { code: 'timeout', message: 'm' } } },
    ])
  })
})

test('answerText and requestText hold the words and neither ids nor seals nor base64', () => {
  const answer = openaiResponses.answerText(ours('answer-full.json'))
  for (const word of ['The city is Bonn.', 'It rains in Bönn', '{"city":"Bonn"}', '*** Begin Patch']) expect(answer).toContain(word)
  expect(answer).not.toContain('gAAAA')
  const request = openaiResponses.requestText(ours('request-everything.json'))
  for (const word of [
    'Be brief.',
    'Answer in German.',
    'What is this?',
    'First.',
    'Let me look.',
    'rain',
    'patched',
    'create_event',
    'Plain words.',
  ])
    expect(request).toContain(word)
  for (const noise of ['iVBORw0KGgo=', 'gAAAAB==', 'call_1']) expect(request).not.toContain(noise)
})
