// long file: one promise after another about the same thing, read as a list
import { describe, expect, test } from 'bun:test'
import OpenAI from 'openai'
import { isObject, type JsonObject } from '../../../../contract/json.ts'
import { EMPTY_USAGE } from '../../../../contract/meters.ts'
import type { Event } from '../canonical.ts'
import { collect } from '../collect.ts'
import { formatFrame } from '../sse.ts'
import type { Frame } from '../protocol.ts'
import { openaiResponses } from './index.ts'
import { CALL, dataOf, decode, encode, fixtures, frames, ours, ourStream, settled, streamsOf } from './test-kit.ts'

/** Streams of every fixture, with the response their last event tells. */
function recorded(): { name: string; stream: Frame[]; response: JsonObject }[] {
  return fixtures('.chunks.txt').flatMap(({ name, path }) =>
    streamsOf(path).flatMap((stream, index) => {
      const last = dataOf(stream.slice(-1))[0]
      const whole = isObject(last?.response) && last.type !== 'response.failed' ? last.response : undefined
      return whole ? [{ name: `${name} ${index}`, stream, response: whole }] : []
    }),
  )
}

/** Claude thinking and calling two tools at once, as its decoder tells it, with the usage after the finish. */
const FOREIGN: Event[] = [
  { type: 'start', id: 'msg_01', model: 'claude-opus-5' },
  { type: 'open', choice: 0, index: 0, block: { type: 'reasoning', text: '' } },
  { type: 'delta', choice: 0, index: 0, text: 'Let me ' },
  { type: 'delta', choice: 0, index: 0, text: 'see.' },
  { type: 'seal', choice: 0, index: 0, seal: { by: 'claude', value: 'sig' } },
  { type: 'close', choice: 0, index: 0 },
  { type: 'open', choice: 0, index: 1, block: { type: 'text', text: '' } },
  { type: 'delta', choice: 0, index: 1, text: 'Two ' },
  { type: 'delta', choice: 0, index: 1, text: 'calls.' },
  { type: 'close', choice: 0, index: 1 },
  { type: 'open', choice: 0, index: 2, block: { type: 'call', id: 'toolu_1', name: 'f', input: '' } },
  { type: 'open', choice: 0, index: 3, block: { type: 'call', id: 'toolu_2', name: 'g', input: '', seal: { by: 'gemini', value: 'x' } } },
  { type: 'delta', choice: 0, index: 3, text: '{}' },
  { type: 'delta', choice: 0, index: 2, text: '{"a":' },
  { type: 'delta', choice: 0, index: 2, text: '1}' },
  { type: 'close', choice: 0, index: 3 },
  { type: 'close', choice: 0, index: 2 },
  { type: 'finish', choice: 0, finish: { reason: 'tool_calls', raw: 'tool_use' } },
  { type: 'usage', usage: { ...EMPTY_USAGE, input: 10, output: 5 } },
]

describe('a recorded stream', () => {
  for (const { name, stream, response } of recorded()) {
    test(`collects to the answer its last event tells: ${name}`, () => {
      expect(settled(collect(decode(stream)))).toEqual(settled(openaiResponses.decodeResponse(response)))
    })

    test(`is the same after another encoder and decoder of ours: ${name}`, () => {
      const events = decode(stream)
      const again = encode(events, { ...CALL, model: String(response.model) })
      expect(settled(decode(again))).toEqual(settled(events))
      const last = dataOf(again.slice(-1))[0]
      expect(settled(isObject(last?.response) ? last.response.output : undefined)).toEqual(settled(response.output))
    })
  }

  for (const name of ['answer-full', 'answer-cut', 'answer-refusal', 'answer-raw-thoughts', 'answer-image']) {
    test(`collects to the body of the same answer: ${name}`, () => {
      expect(collect(decode(ourStream(`${name}.chunks.txt`)))).toEqual(openaiResponses.decodeResponse(ours(`${name}.json`)))
    })
  }

  test('gives the arguments that only the finished item tells, once', () => {
    const pieces = decode(ourStream('answer-raw-thoughts.chunks.txt')).filter((event) => event.type === 'delta' && event.index === 1)
    expect(pieces).toMatchObject([{ text: '{"city":"Bonn"}' }])
  })

  test('gives the answer that only the last event tells', () => {
    const [last] = ourStream('answer-full.chunks.txt').slice(-1)
    if (!last) throw new Error('no frame')
    expect(collect(decode([last]))).toEqual(openaiResponses.decodeResponse(ours('answer-full.json')))
  })

  test('without output_index or parts is understood by the ids of its items', () => {
    const message = { id: 'msg_1', type: 'message', role: 'assistant', content: [] }
    const done = { ...message, content: [{ type: 'output_text', text: 'Hello' }] }
    const events = decode(
      frames(
        { type: 'response.created', response: { id: 'r', model: 'm' } },
        { type: 'response.output_item.added', item: message },
        { type: 'response.output_text.delta', item_id: 'msg_1', delta: 'Hel' },
        { type: 'response.output_item.done', item: done },
        { type: 'response.completed', response: { id: 'r', model: 'm', status: 'completed', output: [done] } },
      ),
    )
    expect(collect(events).choices[0]?.content).toMatchObject([{ type: 'text', text: 'Hello' }])
  })

  test('with empty parts of thoughts, and citations told only at the end, loses neither', () => {
    const at = { item_id: 'rs_1', output_index: 0 }
    const thoughts = { id: 'rs_1', type: 'reasoning', summary: ['a', '', 'b'].map((text) => ({ type: 'summary_text', text })) }
    const [first, second] = [
      { type: 'url_citation', url: 'x' },
      { type: 'url_citation', url: 'y' },
    ]
    const message = {
      id: 'msg_1',
      type: 'message',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'w', annotations: [first, second], logprobs: [] }],
    }
    const response = { id: 'resp_1', model: CALL.model, status: 'completed', output: [thoughts, message] }
    const stream = frames(
      { type: 'response.created', response },
      { type: 'response.output_item.added', output_index: 0, item: { ...thoughts, summary: [] } },
      ...['a', '', 'b'].flatMap((delta, index) => [
        { type: 'response.reasoning_summary_part.added', ...at, summary_index: index, part: { type: 'summary_text', text: '' } },
        ...(delta ? [{ type: 'response.reasoning_summary_text.delta', ...at, summary_index: index, delta }] : []),
      ]),
      { type: 'response.output_item.done', output_index: 0, item: thoughts },
      { type: 'response.output_item.added', output_index: 1, item: { ...message, content: [] } },
      { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 1, content_index: 0, delta: 'w' },
      {
        type: 'response.output_text.annotation.added',
        item_id: 'msg_1',
        output_index: 1,
        content_index: 0,
        annotation_index: 0,
        annotation: first,
      },
      { type: 'response.output_item.done', output_index: 1, item: message },
      { type: 'response.completed', response },
    )
    const events = decode(stream)
    expect(collect(events)).toEqual(openaiResponses.decodeResponse(response))
    const written = dataOf(encode(events))
    expect(written.at(-1)?.response).toMatchObject({ output: response.output })
    expect(written.filter((each) => each.type === 'response.reasoning_summary_part.added')).toHaveLength(3)
    expect(written.filter((each) => each.type === 'response.output_text.annotation.added')).toMatchObject([
      { annotation_index: 0 },
      { annotation_index: 1 },
    ])
  })

  test('keeps events nobody knows', () => {
    const strange = { type: 'response.telepathy.delta', thought: 'x' }
    expect(decode(frames(strange))).toEqual([{ type: 'foreign', from: 'openai-responses', data: strange }])
    const again = dataOf(
      encode([
        { type: 'start', id: 'r', model: 'm' },
        { type: 'foreign', from: 'openai-responses', data: strange },
      ]),
    )
    expect(again.at(-1)).toEqual({ ...strange, sequence_number: 2 })
  })

  test('that fails is one fault, with the usage before it', () => {
    const failed = {
      id: 'r',
      model: 'm',
      status: 'failed',
      error: { code: 'rate_limit_exceeded', message: 'slow' },
      usage: { input_tokens: 3, output_tokens: 1, total_tokens: 4 },
    }
    expect(decode(frames({ type: 'response.failed', response: failed }, { type: 'error', message: 'again' }))).toMatchObject([
      { type: 'usage', usage: { input: 3, output: 1 } },
      { type: 'fault', fault: { kind: 'rate_limit', status: 429, message: 'slow' } },
    ])
    expect(decode(frames({ type: 'error', code: 'server_error', message: 'flat', param: null }))).toMatchObject([
      { fault: { kind: 'upstream', message: 'flat' } },
    ])
    expect(
      decode(frames({ type: 'error', error: { type: 'insufficient_quota', code: 'insufficient_quota', message: 'nested' } })),
    ).toMatchObject([{ fault: { kind: 'insufficient_balance', message: 'nested' } }])
  })
})

describe('a stream of another maker', () => {
  test('has the documented events in their order, numbered from 0, named by their type', () => {
    const written = encode(FOREIGN)
    const data = dataOf(written)
    expect(data.map((each) => each.sequence_number)).toEqual(data.map((_, index) => index))
    expect(written.map((frame) => frame.event)).toEqual(data.map((each) => String(each.type)))
    expect(data.map((each) => [String(each.type).replace('response.', ''), each.output_index ?? '-'].join(' '))).toEqual([
      'created -',
      'in_progress -',
      'output_item.added 0',
      'reasoning_summary_part.added 0',
      'reasoning_summary_text.delta 0',
      'reasoning_summary_text.delta 0',
      'reasoning_summary_text.done 0',
      'reasoning_summary_part.done 0',
      'output_item.done 0',
      'output_item.added 1',
      'content_part.added 1',
      'output_text.delta 1',
      'output_text.delta 1',
      'output_text.done 1',
      'content_part.done 1',
      'output_item.done 1',
      'output_item.added 2',
      'output_item.added 3',
      'function_call_arguments.delta 3',
      'function_call_arguments.delta 2',
      'function_call_arguments.delta 2',
      'function_call_arguments.done 3',
      'output_item.done 3',
      'function_call_arguments.done 2',
      'output_item.done 2',
      'completed -',
    ])
  })

  test('repeats in its last event the whole output and the usage, under the same ids', () => {
    const data = dataOf(encode(FOREIGN))
    const response = data.at(-1)?.response
    if (!isObject(response)) throw new Error('no response')
    expect(response).toMatchObject({
      id: 'resp_01ours',
      model: 'house-model',
      status: 'completed',
      usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
      output: [
        { id: 'rs_01ours_0', summary: [{ text: 'Let me see.' }], encrypted_content: 'tg1.claude.c2ln' },
        { id: 'msg_01ours_1', content: [{ text: 'Two calls.' }] },
        { id: 'fc_01ours_2', call_id: 'toolu_1', arguments: '{"a":1}' },
        { id: 'fc_01ours_3', call_id: 'toolu_2.tg1.gemini.eA', arguments: '{}' },
      ],
    })
    const done = data.filter((each) => each.type === 'response.output_item.done').map((each) => each.item)
    expect(new Set(done.map((item) => JSON.stringify(item)))).toEqual(
      new Set(Array.isArray(response.output) ? response.output.map((item) => JSON.stringify(item)) : []),
    )
  })

  test('tells the same blocks to our own decoder', () => {
    const again = collect(decode(encode(FOREIGN)))
    const bare = again.choices[0]?.content.map((block) => (block.type === 'foreign' ? block : { ...block, ext: undefined }))
    expect(bare).toEqual([
      { type: 'reasoning', text: 'Let me see.', seal: { by: 'claude', value: 'sig' }, ext: undefined },
      { type: 'text', text: 'Two calls.', ext: undefined },
      { type: 'call', id: 'toolu_1', name: 'f', input: '{"a":1}', ext: undefined },
      { type: 'call', id: 'toolu_2', name: 'g', input: '{}', seal: { by: 'gemini', value: 'x' }, ext: undefined },
    ])
    expect(again).toMatchObject({ id: 'resp_01ours', usage: { input: 10, output: 5 } })
  })

  test('carries a seal that came after its call in an item of its own', () => {
    const events: Event[] = [
      { type: 'start', id: 'x', model: 'm' },
      { type: 'open', choice: 0, index: 0, block: { type: 'call', id: 'c:0', name: 'f', input: '{}' } },
      { type: 'seal', choice: 0, index: 0, seal: { by: 'gemini', value: 'late' } },
      { type: 'close', choice: 0, index: 0 },
      { type: 'finish', choice: 0, finish: { reason: 'tool_calls' } },
    ]
    expect(collect(decode(encode(events))).choices[0]?.content).toMatchObject([
      { type: 'call', id: 'c:0', input: '{}', seal: { by: 'gemini', value: 'late' } },
    ])
  })

  test('gives the text of a free-form tool out of the function it was called as, whatever the pieces', () => {
    const input = JSON.stringify({ input: 'a "q" \\ \n 天 \u0001 {}' })
    for (const size of [1, 2, 5, 1000]) {
      const pieces = Array.from({ length: Math.ceil(input.length / size) }, (_, index) => input.slice(index * size, (index + 1) * size))
      const events: Event[] = [
        { type: 'open', choice: 0, index: 0, block: { type: 'call', id: 'c', name: 'shell-_-exec', input: '' } },
        ...pieces.map((text): Event => ({ type: 'delta', choice: 0, index: 0, text })),
        { type: 'close', choice: 0, index: 0 },
        { type: 'finish', choice: 0, finish: { reason: 'tool_calls' } },
      ]
      const data = dataOf(encode(events, { ...CALL, request: ours('request-code-mode.json') }))
      const done = data.find((each) => each.type === 'response.custom_tool_call_input.done')
      expect(done?.input).toBe('a "q" \\ \n 天 \u0001 {}')
      expect(
        data
          .filter((each) => each.type === 'response.custom_tool_call_input.delta')
          .map((each) => each.delta)
          .join(''),
      ).toBe(String(done?.input))
    }
  })

  test('does not end without a finish, and ends with its own error after a fault', () => {
    expect(dataOf(encode(FOREIGN.filter((event) => event.type !== 'finish'))).at(-1)?.type).toBe('response.output_item.done')
    const broken = dataOf(
      encode([...FOREIGN.slice(0, 4), { type: 'fault', fault: { kind: 'overloaded', status: 503, message: 'busy' } }, ...FOREIGN.slice(4)]),
    )
    expect(broken.slice(-2)).toMatchObject([
      {
        type: 'error',
        sequence_number: 6,
        code: 'server_is_overloaded',
        message: 'busy',
        param: null,
        error: { code: 'server_is_overloaded', message: 'busy' },
      },
      {
        type: 'response.failed',
        sequence_number: 7,
        response: { id: 'resp_01ours', status: 'failed', error: { code: 'server_is_overloaded', message: 'busy' } },
      },
    ])
  })

  test('cut by the cap is incomplete, its last message too', () => {
    const events: Event[] = [
      { type: 'open', choice: 0, index: 0, block: { type: 'text', text: 'Hel' } },
      { type: 'close', choice: 0, index: 0 },
      { type: 'finish', choice: 0, finish: { reason: 'length', raw: 'max_tokens' } },
    ]
    expect(dataOf(encode(events)).at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, output: [{ status: 'incomplete' }] },
    })
  })
})

describe('the OpenAI SDK', () => {
  async function read(written: Frame[]): Promise<OpenAI.Responses.Response> {
    const client = new OpenAI({
      apiKey: 'test',
      baseURL: 'http://localhost/v1',
      fetch: async () => new Response(written.map(formatFrame).join(''), { headers: { 'content-type': 'text/event-stream' } }),
    })
    return client.responses.stream({ model: 'house-model', input: 'x' }).finalResponse()
  }

  test('reads a stream of another maker', async () => {
    const response = await read(encode(FOREIGN))
    expect(response.output_text).toBe('Two calls.')
    expect(response.output.map((item) => item.type)).toEqual(['reasoning', 'message', 'function_call', 'function_call'])
  })

  test('reads our fixtures before and after translation', async () => {
    for (const name of ['answer-full', 'answer-refusal', 'answer-raw-thoughts', 'answer-image']) {
      const stream = ourStream(`${name}.chunks.txt`)
      const direct = await read(stream)
      const translated = await read(encode(decode(stream)))
      expect(translated.output).toEqual(direct.output)
    }
  })

  test('throws the error a stream broke off with', async () => {
    const fault: Event = { type: 'fault', fault: { kind: 'rate_limit', status: 429, message: 'slow down' } }
    await expect(read(encode([...FOREIGN.slice(0, 3), fault]))).rejects.toThrow('slow down')
    const passed = [...ourStream('answer-full.chunks.txt').slice(0, 4), ...openaiResponses.encodeStreamError(fault.fault, 'req_1')]
    await expect(read(passed)).rejects.toThrow('slow down')
  })
})
