import { describe, expect, test } from 'bun:test'
import { EMPTY_USAGE } from '../../../contract/meters.ts'
import type { Event } from './canonical.ts'
import { BrokenStream, collect } from './collect.ts'

describe('collect', () => {
  test('puts text, reasoning, calls and media together in the order of their index', () => {
    const events: Event[] = [
      { type: 'start', id: 'a', model: 'm', created: 5, serviceTier: 'default', ext: { gemini: { x: 1 } } },
      { type: 'open', choice: 0, index: 1, block: { type: 'call', id: 'c', name: 'f', input: '' } },
      { type: 'open', choice: 0, index: 0, block: { type: 'reasoning', text: 'a' } },
      { type: 'delta', choice: 0, index: 0, text: 'b' },
      { type: 'seal', choice: 0, index: 0, seal: { by: 'claude', value: 's' } },
      { type: 'delta', choice: 0, index: 1, text: '{"a"' },
      { type: 'delta', choice: 0, index: 1, text: ':1}' },
      { type: 'seal', choice: 0, index: 1, seal: { by: 'gemini', value: 't' } },
      { type: 'open', choice: 0, index: 2, block: { type: 'media', mediaType: 'image/png', data: { base64: 'AA' } } },
      { type: 'delta', choice: 0, index: 2, text: 'BB' },
      { type: 'open', choice: 0, index: 3, block: { type: 'refusal', text: 'n' } },
      { type: 'delta', choice: 0, index: 3, text: 'o' },
      { type: 'ping' },
      { type: 'foreign', from: 'claude', data: { type: 'new' } },
      { type: 'close', choice: 0, index: 0, ext: { claude: { c: 1 } } },
      { type: 'finish', choice: 0, finish: { reason: 'tool_calls', raw: 'tool_use' } },
    ]
    const before = structuredClone(events)
    expect(collect(events)).toEqual({
      id: 'a',
      model: 'm',
      created: 5,
      serviceTier: 'default',
      ext: { gemini: { x: 1 } },
      choices: [
        {
          index: 0,
          content: [
            { type: 'reasoning', text: 'ab', seal: { by: 'claude', value: 's' }, ext: { claude: { c: 1 } } },
            { type: 'call', id: 'c', name: 'f', input: '{"a":1}', seal: { by: 'gemini', value: 't' } },
            { type: 'media', mediaType: 'image/png', data: { base64: 'AABB' } },
            { type: 'refusal', text: 'no' },
          ],
          finish: { reason: 'tool_calls', raw: 'tool_use' },
        },
      ],
    })
    expect(events).toEqual(before)
  })

  test('keeps the choices of n > 1 apart and sorted', () => {
    const completion = collect([
      { type: 'open', choice: 1, index: 0, block: { type: 'text', text: 'B' } },
      { type: 'open', choice: 0, index: 0, block: { type: 'text', text: 'A' } },
      { type: 'delta', choice: 1, index: 0, text: 'b' },
      { type: 'finish', choice: 1, finish: { reason: 'stop' } },
    ])
    expect(completion.choices).toEqual([
      { index: 0, content: [{ type: 'text', text: 'A' }], finish: { reason: 'other' } },
      { index: 1, content: [{ type: 'text', text: 'Bb' }], finish: { reason: 'stop' } },
    ])
  })

  test('replaces usage field by field and keeps the last raw one', () => {
    const completion = collect([
      { type: 'usage', usage: { ...EMPTY_USAGE, input: 10, output: 1, reasoning: 3 }, rawUsage: { a: 1 } },
      { type: 'usage', usage: { ...EMPTY_USAGE, input: 10, output: 7 } },
    ])
    expect(completion.usage).toEqual({ ...EMPTY_USAGE, input: 10, output: 7, reasoning: 3 })
    expect(completion.rawUsage).toEqual({ a: 1 })
  })

  test('appends the arrays of extensions and logprobs', () => {
    const completion = collect([
      { type: 'open', choice: 0, index: 0, block: { type: 'text', text: '', ext: { 'openai-chat': { annotations: [1] } } } },
      { type: 'delta', choice: 0, index: 0, text: 'a', logprobs: { content: [{ token: 'a' }], refusal: null } },
      {
        type: 'delta',
        choice: 0,
        index: 0,
        text: 'b',
        logprobs: { content: [{ token: 'b' }], refusal: null },
        ext: { 'openai-chat': { annotations: [2] } },
      },
    ])
    expect(completion.choices[0]).toEqual({
      index: 0,
      content: [{ type: 'text', text: 'ab', ext: { 'openai-chat': { annotations: [1, 2] } } }],
      finish: { reason: 'other' },
      logprobs: { content: [{ token: 'a' }, { token: 'b' }], refusal: null },
    })
  })

  test('loses no text that came without a block, and throws the fault of a broken stream', () => {
    expect(collect([{ type: 'delta', choice: 0, index: 0, text: 'x' }]).choices[0]?.content).toEqual([{ type: 'text', text: 'x' }])
    expect(() => collect([{ type: 'fault', fault: { kind: 'overloaded', status: 503, message: 'busy' } }])).toThrow(BrokenStream)
  })
})
