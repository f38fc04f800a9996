import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import { EMPTY_USAGE } from '../../../../contract/meters.ts'
import type { Block, Event, Fault, FinishReason } from '../canonical.ts'
import { collect } from '../collect.ts'
import { packSeal } from '../seal.ts'
import { claude } from './index.ts'
import { CALL, frames, run } from './test-kit.ts'

const START: Event = { type: 'start', id: 'chatcmpl-1', model: 'gpt-up', created: 5 }
const END: Event = { type: 'finish', choice: 0, finish: { reason: 'stop', raw: 'stop' } }

const open = (index: number, block: Block, choice = 0): Event => ({ type: 'open', choice, index, block })
const delta = (index: number, text: string, choice = 0): Event => ({ type: 'delta', choice, index, text })
const close = (index: number, choice = 0): Event => ({ type: 'close', choice, index })
const call = (id: string, members: Partial<Extract<Block, { type: 'call' }>> = {}): Block => ({
  type: 'call',
  id,
  name: 'ls',
  input: '',
  ...members,
})

function write(...events: Event[]): JsonObject[] {
  return run(claude.encodeStream(CALL), events).map((frame) => {
    const data: JsonObject = JSON.parse(frame.data)
    expect(frame.event).toBe(String(data.type))
    return data
  })
}

function read(...events: JsonObject[]): Event[] {
  return run(claude.decodeStream(), frames(...events))
}

/** Blocks as a reader of the frames would have them, failing on what no Anthropic stream does. */
function shape(written: JsonObject[]): string {
  let openBlock: number | undefined
  let next = 0
  const parts: string[] = []
  for (const data of written) {
    if (data.type === 'content_block_start') {
      expect([openBlock, data.index]).toEqual([undefined, next++])
      openBlock = data.index as number
      parts.push(String((data.content_block as JsonObject).type))
    } else if (data.type === 'content_block_delta') {
      expect(data.index as number).toBe(openBlock as number)
      const { type: _, ...piece } = data.delta as JsonObject
      parts.push(Object.values(piece).join())
    } else if (data.type === 'content_block_stop') {
      expect(data.index as number).toBe(openBlock as number)
      openBlock = undefined
      parts.push('|')
    }
  }
  return parts.join(' ')
}

describe('a stream of another maker, written', () => {
  test("has the documented order, the platform's model, an estimate first and the real counts at the end", () => {
    const usage = { ...EMPTY_USAGE, input: 30, cachedInput: 4, output: 2 }
    const written = write(START, open(0, { type: 'text', text: '' }), delta(0, 'Hi'), close(0), END, { type: 'usage', usage })
    expect(written).toEqual([
      {
        type: 'message_start',
        message: {
          id: 'chatcmpl-1',
          type: 'message',
          role: 'assistant',
          model: 'house-model',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 11, output_tokens: 0 },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
      { type: 'content_block_stop', index: 0 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { input_tokens: 30, cache_creation_input_tokens: 0, cache_read_input_tokens: 4, output_tokens: 2 },
      },
      { type: 'message_stop' },
    ])
  })

  test('keeps one block open at a time, however the calls were mixed', () => {
    const written = write(
      START,
      open(0, { type: 'text', text: '' }),
      open(1, call('a')),
      delta(1, '{"x"'),
      delta(0, 'Hi'),
      open(2, call('b')),
      delta(2, '{}'),
      delta(1, ':1}'),
      close(0),
      delta(2, ' '),
      close(2),
      close(1),
      END,
    )
    expect(shape(written)).toBe('text Hi | tool_use {"x" :1} | tool_use {}   |')
    expect(written.at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' } })
  })

  test('closes what nobody closed when it ends, and leaves out empty texts and other alternatives', () => {
    const written = write(
      START,
      open(0, { type: 'text', text: '' }),
      open(0, { type: 'text', text: 'other' }, 1),
      open(1, call('a')),
      delta(1, '{'),
      END,
    )
    expect(shape(written)).toBe('tool_use { |')
    expect(written.filter((data) => data.type === 'message_stop')).toHaveLength(1)
  })

  test('marks thoughts nobody signed, packs seals of others and signs right before the end of the block', () => {
    const written = write(
      START,
      open(0, { type: 'reasoning', text: '' }),
      delta(0, 'hm'),
      close(0),
      open(1, { type: 'reasoning', text: '' }),
      { type: 'seal', choice: 0, index: 1, seal: { by: 'gemini', value: 's' } },
      delta(1, 'so'),
      close(1),
      open(2, { type: 'reasoning', text: '', redacted: true }),
      { type: 'seal', choice: 0, index: 2, seal: { by: 'openai-responses', value: 'r' } },
      close(2),
      open(3, { type: 'reasoning', text: '' }),
      close(3),
      END,
    )
    const gemini = packSeal({ by: 'gemini', value: 's' }, 'claude')
    expect(shape(written)).toBe(`thinking hm tg1.none. | thinking so ${gemini} | redacted_thinking |`)
    const [message] = claude.decodeRequest(
      {
        model: 'm',
        messages: [
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'hm', signature: 'tg1.none.' },
              { type: 'thinking', thinking: 'so', signature: gemini },
            ],
          },
        ],
      },
      {},
    ).messages
    expect(message?.content.map((block) => block.type === 'reasoning' && block.seal)).toEqual([undefined, { by: 'gemini', value: 's' }])
  })

  test('carries the seal of a call beside it, whether it comes early or late, and reads it back', () => {
    const early = [START, open(0, call('a.b', { seal: { by: 'gemini', value: 's' } })), delta(0, '{}'), close(0), END]
    const late = [
      START,
      open(0, call('a.b')),
      delta(0, '{}'),
      { type: 'seal', choice: 0, index: 0, seal: { by: 'gemini', value: 's' } } as Event,
      close(0),
      open(1, { type: 'text', text: 'x' }),
      close(1),
      END,
    ]
    expect(shape(write(...early))).toBe('redacted_thinking | tool_use {} |')
    expect(shape(write(...late))).toBe('tool_use {} | redacted_thinking | text x |')
    for (const events of [early, late]) {
      const again = collect(run(claude.decodeStream(), run(claude.encodeStream(CALL), events)))
      expect(again.choices[0]?.content[0]).toEqual(call('a.b', { input: '{}', seal: { by: 'gemini', value: 's' } }))
      expect(again.choices[0]?.content).toHaveLength(collect(events).choices[0]?.content.length ?? 0)
    }
  })

  test('wraps the text of a free-form call as its member "input", also across a split character', () => {
    const written = write(START, open(0, call('a', { custom: true })), delta(0, 'say "\ud83d'), delta(0, '\ude00"\n'), close(0), END)
    const pieces = written.filter((data) => data.type === 'content_block_delta').map((data) => (data.delta as JsonObject).partial_json)
    expect(JSON.parse(pieces.join(''))).toEqual({ input: 'say "\u{1f600}"\n' })
  })

  const reasons: [FinishReason, string][] = [
    ['stop', 'end_turn'],
    ['length', 'max_tokens'],
    ['stop_sequence', 'stop_sequence'],
    ['tool_calls', 'tool_use'],
    ['content_filter', 'refusal'],
    ['refusal', 'refusal'],
    ['pause', 'pause_turn'],
    ['context_window', 'model_context_window_exceeded'],
    ['other', 'end_turn'],
  ]
  for (const [reason, word] of reasons) {
    test(`ends with ${word} for ${reason}`, () => {
      const finish = { reason, raw: 'word_of_the_maker', ...(reason === 'stop_sequence' ? { stopSequence: 'X' } : {}) }
      const written = write(START, { type: 'finish', choice: 0, finish })
      expect(written.at(-2)).toMatchObject({ delta: { stop_reason: word, stop_sequence: finish.stopSequence ?? null } })
    })
  }

  test('that breaks off never ends normally: no finish, no end; a fault, the error event and nothing after it', () => {
    expect(write(START, open(0, { type: 'text', text: 'x' })).map((data) => data.type)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
    ])
    const fault: Fault = { kind: 'overloaded', status: 529, message: 'Too much' }
    const written = write(START, { type: 'fault', fault }, open(0, { type: 'text', text: 'x' }), END)
    expect(written.slice(1)).toEqual([{ type: 'error', error: { type: 'overloaded_error', message: 'Too much' }, request_id: 'msg_ours' }])
  })
})

describe('a Claude stream, read', () => {
  const start: JsonObject = {
    type: 'message_start',
    message: { id: 'm1', model: 'claude', content: [], usage: { input_tokens: 1, output_tokens: 1 } },
  }
  const text: JsonObject = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }

  test('gives events, deltas and stop reasons it does not know whole, and writes them again', () => {
    const strange: JsonObject[] = [
      start,
      { type: 'event_of_tomorrow', a: 1 },
      text,
      { type: 'content_block_delta', index: 0, delta: { type: 'delta_of_tomorrow', b: 2 } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'block_of_tomorrow' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'delta_of_tomorrow', c: 3 } },
      { type: 'content_block_stop', index: 1 },
      { type: 'message_delta', delta: { stop_reason: 'reason_of_tomorrow', stop_sequence: null }, usage: { output_tokens: 1 } },
      { type: 'message_stop' },
    ]
    const events = read(...strange)
    expect(events.find((event) => event.type === 'finish')).toMatchObject({ finish: { reason: 'other', raw: 'reason_of_tomorrow' } })
    const written = write(...events)
    for (const event of strange.slice(1, -2)) expect(written).toContainEqual(event)
    expect(written.at(-2)).toMatchObject({ delta: { stop_reason: 'reason_of_tomorrow' } })
  })

  test('cut off before its end has no finish, and its placeholder of an output count is not billed', () => {
    const events = read(start, text)
    expect(events.map((event) => event.type)).toEqual(['start', 'usage', 'open'])
    expect(events[1]).toMatchObject({ usage: { input: 1, output: 0 } })
  })

  test('with the same start twice is one answer; with another answer inside it is a fault', () => {
    expect(read(start, start, text).filter((event) => event.type === 'start')).toHaveLength(1)
    const spliced = read(start, text, { ...start, message: { id: 'm2' } }, text)
    expect(spliced.at(-1)).toMatchObject({ type: 'fault', fault: { kind: 'upstream', status: 502 } })
  })

  test("with an error event is a fault with Anthropic's status for it", () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
    expect(read(start, error, text).at(-1)).toEqual({
      type: 'fault',
      fault: { kind: 'overloaded', status: 529, message: 'Overloaded' },
    })
  })

  test('whose input comes whole in the start event is one whole call', () => {
    const block = { type: 'tool_use', id: 'a', name: 'ls', input: { path: '.' } }
    const events = read(start, { type: 'content_block_start', index: 0, content_block: block }, { type: 'content_block_stop', index: 0 })
    expect(collect(events).choices[0]?.content).toEqual([call('a', { input: '{"path":"."}' })])
  })
})
