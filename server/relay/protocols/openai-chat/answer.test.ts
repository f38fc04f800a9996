import { describe, expect, test } from 'bun:test'
import { isObject, type JsonObject } from '../../../../contract/json.ts'
import { EMPTY_USAGE } from '../../../../contract/meters.ts'
import type { Completion } from '../canonical.ts'
import { WireError } from '../protocol.ts'
import { openaiChat } from './index.ts'
import { answers, CALL, ours } from './test-kit.ts'

function completion(content: Completion['choices'][0]['content'], members: Partial<Completion> = {}): Completion {
  return { id: 'msg_1', model: 'claude-x', choices: [{ index: 0, content, finish: { reason: 'stop' } }], ...members }
}

function message(content: Completion['choices'][0]['content']): JsonObject {
  const { body } = openaiChat.encodeResponse(completion(content), CALL)
  const choice = Array.isArray(body.choices) ? body.choices[0] : undefined
  return isObject(choice) && isObject(choice.message) ? choice.message : {}
}

describe('a whole answer', () => {
  test('is read into blocks, with finish reasons, usage and what has no canonical name', () => {
    const read = openaiChat.decodeResponse(ours('answer.json'))
    expect(read).toMatchObject({
      id: 'chatcmpl-1',
      created: 1_795_300_000,
      serviceTier: 'default',
      ext: { 'openai-chat': { system_fingerprint: 'fp_1' } },
    })
    expect(read.choices[0]?.content.map((block) => block.type)).toEqual(['reasoning', 'text', 'call', 'call', 'call'])
    expect(read.choices[0]?.content[4]).toEqual({ type: 'call', id: 'call_c', name: 'run', input: 'ls -l', custom: true })
    expect(read.choices[0]?.finish).toEqual({ reason: 'tool_calls', raw: 'tool_calls' })
    expect(read.choices[1]).toMatchObject({
      index: 1,
      content: [{ type: 'refusal', text: 'I cannot.' }],
      finish: { reason: 'refusal', raw: 'stop' },
    })
    expect(read.usage).toEqual({ ...EMPTY_USAGE, input: 30, cachedInput: 64, audioInput: 6, output: 50, reasoning: 20 })
  })

  for (const { name, body } of answers().filter((each) => each.name !== 'mistral-reasoning.json')) {
    test(`comes back whole, except for the model's name: ${name}`, () => {
      const { body: written, losses } = openaiChat.encodeResponse(openaiChat.decodeResponse(body), CALL)
      expect(losses).toEqual([])
      expect(written.model).toBe('house-model')
      // Usage is written anew from the meters, and with it what vendors count beside.
      expect(withoutDefaults({ ...written, model: body.model, usage: null })).toEqual(withoutDefaults({ ...body, usage: null }))
      const usage = openaiChat.usage(body)
      expect(usage).toBeDefined()
      expect(openaiChat.usage(written)).toEqual({ ...usage, reasoning: usage?.reasoning ?? 0 } as typeof usage)
    })
  }

  test("Mistral's thinking parts are shown where every client looks for thoughts", () => {
    const parts = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] },
      { type: 'text', text: '4' },
    ]
    const read = openaiChat.decodeResponse({ choices: [{ message: { content: parts }, finish_reason: 'stop' }] })
    expect(read.choices[0]?.content).toEqual([
      { type: 'reasoning', text: 'Hm.', seal: { by: 'openai-chat', value: 'thinking' } },
      { type: 'text', text: '4' },
    ])
    expect(message(read.choices[0]?.content ?? [])).toEqual({ role: 'assistant', content: '4', refusal: null, reasoning_content: 'Hm.' })
  })

  test("of another protocol shows the platform's model, every kind of block and its finish reason", () => {
    const { body, losses } = openaiChat.encodeResponse(
      completion(
        [
          { type: 'reasoning', text: 'thoughts' },
          { type: 'text', text: 'Hello ' },
          { type: 'text', text: 'there' },
          { type: 'media', mediaType: 'image/png', data: { base64: 'AA' } },
          { type: 'call', id: 'toolu_1', name: 'ls', input: '{}' },
        ],
        {
          usage: { ...EMPTY_USAGE, input: 5, cachedInput: 10, cacheWrite: 20, cacheWrite1h: 30, output: 7 },
          ext: { claude: { container: 'c' } },
        },
      ),
      CALL,
    )
    expect(body).toEqual({
      id: 'msg_1',
      object: 'chat.completion',
      created: 1_795_300_000,
      model: 'house-model',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hello there',
            refusal: null,
            reasoning_content: 'thoughts',
            images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }],
            tool_calls: [{ id: 'toolu_1', type: 'function', function: { name: 'ls', arguments: '{}' } }],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 65,
        completion_tokens: 7,
        total_tokens: 72,
        prompt_tokens_details: { cached_tokens: 10, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
        cache_creation_input_tokens: 50,
        cache_creation_1h_input_tokens: 30,
      },
    })
    expect(losses.map((loss) => loss.path)).toEqual(['container'])
  })

  test("says in OpenAI's words how it ended", () => {
    const words = (reason: Completion['choices'][0]['finish']['reason']) => {
      const { body } = openaiChat.encodeResponse({ ...completion([]), choices: [{ index: 0, content: [], finish: { reason } }] }, CALL)
      return Array.isArray(body.choices) && isObject(body.choices[0]) ? body.choices[0].finish_reason : undefined
    }
    expect(
      (['stop', 'stop_sequence', 'pause', 'other', 'length', 'context_window', 'content_filter', 'refusal'] as const).map(words),
    ).toEqual(['stop', 'stop', 'stop', 'stop', 'length', 'length', 'content_filter', 'content_filter'])
  })

  test('a call without an id or with an object for arguments is repaired', () => {
    const read = openaiChat.decodeResponse({
      id: 'c1',
      choices: [{ message: { tool_calls: [{ function: { name: 'f', arguments: { a: 1 } } }] }, finish_reason: 'stop' }],
    })
    expect(read.choices[0]).toEqual({
      index: 0,
      content: [{ type: 'call', id: 'call_c1_0_0', name: 'f', input: '{"a":1}' }],
      finish: { reason: 'tool_calls', raw: 'stop' },
    })
  })

  test('a foreign block is lost, with its name', () => {
    const { losses } = openaiChat.encodeResponse(completion([{ type: 'foreign', from: 'claude', data: { type: 'server_tool_use' } }]), CALL)
    expect(losses).toEqual([{ path: 'choices[0].message.content[0]', reason: 'Chat Completions has no server_tool_use block' }])
    expect(message([{ type: 'foreign', from: 'claude', data: { type: 'server_tool_use' } }]).content).toBe('')
  })

  test('a body without choices is not understood', () => {
    expect(() => openaiChat.decodeResponse({})).toThrow(WireError)
  })
})

/** An answer without nulls and empty lists, `index` of calls, and with the documented type of a call. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults)
  if (typeof value !== 'object' || value === null) return value
  const rows = Object.entries(value).filter(
    ([key, item]) =>
      item !== null && item !== '' && !(Array.isArray(item) && item.length === 0) && !(key === 'index' && 'function' in value),
  )
  const kept = Object.fromEntries(rows.map(([key, item]) => [key, withoutDefaults(item)]))
  if ('function' in kept) kept.type = 'function'
  return kept
}
