import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import { EMPTY_USAGE } from '../../../../contract/meters.ts'
import type { Event } from '../canonical.ts'
import { collect } from '../collect.ts'
import { openaiChat } from './index.ts'
import { CALL, jsonOf, run, settled, streams } from './test-kit.ts'

describe('a stream that is written', () => {
  const EVENTS: Event[] = [
    {
      type: 'start',
      id: 'c1',
      model: 'upstream',
      created: 5,
      serviceTier: 'default',
      ext: { 'openai-chat': { system_fingerprint: 'fp' } },
    },
    { type: 'open', choice: 0, index: 0, block: { type: 'reasoning', text: '' } },
    { type: 'delta', choice: 0, index: 0, text: 'hm' },
    { type: 'seal', choice: 0, index: 0, seal: { by: 'openai-chat', value: 'reasoning_content' } },
    { type: 'close', choice: 0, index: 0 },
    { type: 'open', choice: 0, index: 1, block: { type: 'text', text: '' } },
    { type: 'delta', choice: 0, index: 1, text: 'Hi "you"\n\u{1f600}', logprobs: { content: [{ token: 'Hi' }] } },
    { type: 'close', choice: 0, index: 1 },
    { type: 'open', choice: 0, index: 2, block: { type: 'call', id: 'a', name: 'f', input: '' } },
    { type: 'delta', choice: 0, index: 2, text: '{"x":' },
    { type: 'delta', choice: 0, index: 2, text: '1}' },
    { type: 'close', choice: 0, index: 2 },
    { type: 'open', choice: 0, index: 3, block: { type: 'call', id: 'b', name: 'g', input: '' } },
    { type: 'close', choice: 0, index: 3 },
    { type: 'finish', choice: 0, finish: { reason: 'tool_calls', raw: 'tool_calls' } },
    { type: 'usage', usage: { ...EMPTY_USAGE, input: 3, output: 4, reasoning: 1 } },
  ]

  test('is what OpenAI documents: role first, nulls, one usage chunk, the end marker', () => {
    const frames = run(openaiChat.encodeStream(CALL), EVENTS)
    const head = { id: 'c1', object: 'chat.completion.chunk', created: 5, model: 'house-model' }
    const tail = { service_tier: 'default', system_fingerprint: 'fp', usage: null }
    const choice = (delta: JsonObject, finish: string | null = null, logprobs: JsonObject | null = null) => ({
      ...head,
      choices: [{ index: 0, delta, logprobs, finish_reason: finish }],
      ...tail,
    })
    expect(jsonOf(frames)).toEqual([
      choice({ role: 'assistant', content: '', refusal: null }),
      choice({ reasoning_content: 'hm' }),
      choice({ content: 'Hi "you"\n\u{1f600}' }, null, { content: [{ token: 'Hi' }], refusal: null }),
      choice({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] }),
      choice({ tool_calls: [{ index: 0, function: { arguments: '{"x":' } }] }),
      choice({ tool_calls: [{ index: 0, function: { arguments: '1}' } }] }),
      choice({ tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '' } }] }),
      choice({}, 'tool_calls'),
      {
        ...head,
        choices: [],
        service_tier: 'default',
        system_fingerprint: 'fp',
        usage: {
          prompt_tokens: 3,
          completion_tokens: 4,
          total_tokens: 7,
          prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
          completion_tokens_details: { reasoning_tokens: 1, audio_tokens: 0 },
        },
      },
    ])
    expect(frames.at(-1)).toEqual({ data: '[DONE]' })
  })

  test('is read back as the same events', () => {
    const events = run(openaiChat.decodeStream(), run(openaiChat.encodeStream(CALL), EVENTS))
    const expected = EVENTS.map((event) => (event.type === 'start' ? { ...event, model: 'house-model' } : event))
    expect(settled(events).map((event) => (event.type === 'usage' ? { type: 'usage', usage: event.usage } : event))).toEqual(
      settled(expected),
    )
  })

  for (const { name, frames } of streams()) {
    test(`a recorded stream written and read again says the same: ${name}`, () => {
      const first = collect(run(openaiChat.decodeStream(), frames))
      const again = collect(run(openaiChat.decodeStream(), run(openaiChat.encodeStream(CALL), run(openaiChat.decodeStream(), frames))))
      const plain = (completion: typeof first) => ({
        ...completion,
        model: '',
        rawUsage: null,
        usage: { reasoning: 0, ...completion.usage },
        choices: completion.choices.map((choice) => ({
          ...choice,
          content: choice.content.map((block) => (block.type === 'reasoning' ? { ...block, seal: null } : block)),
        })),
      })
      expect(plain(again)).toEqual(plain(first))
    })
  }

  test('has no usage for those who did not ask', () => {
    const frames = run(openaiChat.encodeStream({ ...CALL, wantsUsage: false }), EVENTS)
    expect(frames.some((frame) => frame.data.includes('usage'))).toBe(false)
    expect(frames.at(-1)?.data).toBe('[DONE]')
  })

  test('after a fault, or without a finish, there is no end marker', () => {
    const broken = run(openaiChat.encodeStream(CALL), [
      ...EVENTS.slice(0, 7),
      { type: 'fault', fault: { kind: 'overloaded', status: 503, message: 'busy' } },
      ...EVENTS.slice(7),
    ])
    expect(JSON.parse(broken.at(-1)?.data ?? '')).toEqual({
      error: { message: 'busy', type: 'server_error', param: null, code: 'overloaded' },
    })
    expect(run(openaiChat.encodeStream(CALL), EVENTS.slice(0, 7)).some((frame) => frame.data === '[DONE]')).toBe(false)
    expect(run(openaiChat.encodeStream(CALL), [])).toEqual([])
  })

  test('pictures are told whole, each choice begins with its role', () => {
    const frames = run(openaiChat.encodeStream(CALL), [
      { type: 'open', choice: 0, index: 0, block: { type: 'media', mediaType: 'image/png', data: { base64: '' } } },
      { type: 'delta', choice: 0, index: 0, text: 'AA' },
      { type: 'delta', choice: 0, index: 0, text: 'BB' },
      { type: 'close', choice: 0, index: 0 },
      { type: 'open', choice: 1, index: 0, block: { type: 'text', text: 'x' } },
    ])
    const told = jsonOf(frames).map((chunk) => chunk.choices)
    expect(told).toMatchObject([
      [{ index: 0, delta: { role: 'assistant' } }],
      [{ index: 0, delta: { images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AABB' } }] } }],
      [{ index: 1, delta: { role: 'assistant' } }],
      [{ index: 1, delta: { content: 'x' } }],
    ])
  })
})
