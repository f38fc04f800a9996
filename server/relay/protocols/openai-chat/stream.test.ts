import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import { EMPTY_USAGE } from '../../../../contract/meters.ts'
import type { Event } from '../canonical.ts'
import { collect } from '../collect.ts'
import { openaiChat } from './index.ts'
import { CALL, deltas, jsonOf, ours, oursFrames, run, streams } from './test-kit.ts'

const decode = (list: JsonObject[], finish?: string) => run(openaiChat.decodeStream(), deltas(list, finish))
const blocks = (events: Event[]) => collect(events).choices[0]?.content

/** Every block is opened before its deltas and closed after them, and only calls may run beside another block. */
function wellFormed(events: Event[]): void {
  const open = new Map<string, string>()
  let next: { [choice: number]: number } = {}
  for (const event of events) {
    if (event.type === 'open') {
      expect(event.index).toBe(next[event.choice] ?? 0)
      next = { ...next, [event.choice]: event.index + 1 }
      open.set(`${event.choice}/${event.index}`, event.block.type)
    } else if (event.type === 'delta' || event.type === 'seal') expect(open.has(`${event.choice}/${event.index}`)).toBe(true)
    else if (event.type === 'close') expect(open.delete(`${event.choice}/${event.index}`)).toBe(true)
  }
  expect(open.size).toBe(0)
}

describe('a stream that is read', () => {
  test('collects to the whole answer', () => {
    const events = run(openaiChat.decodeStream(), oursFrames('answer.chunks.txt'))
    wellFormed(events)
    expect(collect(events)).toEqual(openaiChat.decodeResponse(ours('answer.json')))
  })

  for (const { name, frames } of streams()) {
    test(`is well formed, ends once and has usage: ${name}`, () => {
      const events = run(openaiChat.decodeStream(), frames)
      wellFormed(events)
      const kinds = events.map((event) => event.type)
      expect(kinds[0]).toBe('start')
      expect(kinds.filter((kind) => kind === 'start')).toHaveLength(1)
      expect(kinds.filter((kind) => kind === 'finish').length).toBe(name === 'answer.chunks.txt' ? 2 : 1)
      expect(kinds).not.toContain('foreign')
      const told = jsonOf(frames)
        .map((chunk) => openaiChat.usage(chunk))
        .findLast((usage) => usage)
      expect(collect(events).usage).toEqual(told)
      const written = frames.map((frame) => openaiChat.tap(frame).text).join('')
      const read = collect(events)
        .choices.map((choice) => choice.content)
        .flat()
        .map((block) => (block.type === 'call' ? block.name + block.input : 'text' in block ? block.text : ''))
        .join('')
      expect(Array.from(read).sort().join('')).toBe(Array.from(written).sort().join(''))
    })
  }

  test('calls told in turns are told one after the other', () => {
    const call = (index: number, args: string, id?: string) => ({
      tool_calls: [{ index, ...(id ? { id, function: { name: 'f', arguments: args } } : { function: { arguments: args } }) }],
    })
    const events = decode([call(0, '{"a"', 'x'), call(1, '{"b"', 'y'), call(0, ':1}'), call(2, '', 'z'), call(1, ':2}')], 'tool_calls')
    wellFormed(events)
    const order = events.filter((event) => event.type === 'open' || event.type === 'close').map((event) => `${event.type} ${event.index}`)
    expect(order).toEqual(['open 0', 'close 0', 'open 1', 'close 1', 'open 2', 'close 2'])
    expect(blocks(events)?.map((block) => block.type === 'call' && block.id + block.input)).toEqual(['x{"a":1}', 'y{"b":2}', 'z'])
  })

  test('calls without index, with the same index, with empty or repeated ids are kept apart', () => {
    const f = (name: string, args: string) => ({ function: { name, arguments: args } })
    expect(
      blocks(
        decode([
          {
            tool_calls: [
              { id: 'a', ...f('f', '{}') },
              { id: 'b', ...f('g', '{}') },
            ],
          },
        ]),
      )?.length,
    ).toBe(2)
    expect(
      blocks(decode([{ tool_calls: [{ index: 0, id: 'a', ...f('f', '{}') }] }, { tool_calls: [{ index: 0, id: 'b', ...f('g', '{}') }] }]))
        ?.length,
    ).toBe(2)
    for (const again of ['', 'a', undefined]) {
      const events = decode([
        { tool_calls: [{ index: 0, id: 'a', ...f('f', '{') }] },
        { tool_calls: [{ index: 0, ...(again === undefined ? {} : { id: again }), ...f('', '}') }] },
      ])
      expect(blocks(events)).toEqual([{ type: 'call', id: 'a', name: 'f', input: '{}' }])
    }
    expect(
      blocks(decode([{ tool_calls: [{ id: 'a', function: { name: 'f' } }] }, { tool_calls: [{ function: { arguments: { a: 1 } } }] }])),
    ).toEqual([{ type: 'call', id: 'a', name: 'f', input: '{"a":1}' }])
    expect(
      collect(decode([{ function_call: { name: 'old', arguments: '{' } }, { function_call: { arguments: '}' } }], 'function_call'))
        .choices[0],
    ).toMatchObject({ content: [{ type: 'call', name: 'old', input: '{}' }], finish: { reason: 'tool_calls' } })
  })

  test('thoughts are read from every member vendors tell them in', () => {
    for (const [member, value] of [
      ['reasoning_content', 'reasoning_content'],
      ['reasoning', 'reasoning'],
    ] as const) {
      expect(blocks(decode([{ [member]: 'a', content: '' }, { [member]: 'b', content: null }, { content: 'c' }]))).toEqual([
        { type: 'reasoning', text: 'ab', seal: { by: 'openai-chat', value } },
        { type: 'text', text: 'c' },
      ])
    }
    const details = (text: string, more = {}) => ({
      reasoning: text,
      reasoning_details: [{ type: 'reasoning.text', index: 0, text, ...more }],
    })
    const [block] = blocks(decode([details('a'), details('b', { signature: 's' }), { content: 'c' }])) ?? []
    expect(block).toMatchObject({ type: 'reasoning', text: 'ab', seal: { by: 'openai-chat' } })
    expect(JSON.parse(block?.type === 'reasoning' && block.seal ? block.seal.value : '')).toEqual({
      member: 'reasoning',
      details: [{ type: 'reasoning.text', index: 0, text: 'ab', signature: 's' }],
    })
  })

  test('an error inside the stream is a fault and no end', () => {
    for (const frame of [
      { data: '{"error":{"message":"busy","type":"server_error","code":"overloaded"}}' },
      { event: 'error', data: '{"message":"busy"}' },
      { data: '{"id":"c","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"busy"}}' },
    ]) {
      const events = run(openaiChat.decodeStream(), [...deltas([{ content: 'a' }]).slice(0, 1), frame])
      expect(events.find((event) => event.type === 'fault')).toMatchObject({ fault: { message: 'busy' } })
      expect(events.some((event) => event.type === 'finish')).toBe(false)
    }
  })

  test('a cut stream has no finish; one that only lacks its finish reason has', () => {
    const cut = deltas([{ content: 'a' }]).slice(0, 1)
    expect(run(openaiChat.decodeStream(), cut).map((event) => event.type)).toEqual(['start', 'open', 'delta', 'close'])
    expect(run(openaiChat.decodeStream(), [...cut, { data: '[DONE]' }]).at(-1)).toEqual({
      type: 'finish',
      choice: 0,
      finish: { reason: 'stop' },
    })
  })

  test('a choice ends once, though a vendor repeats its finish reason', () => {
    const frames = deltas([{ content: 'a' }])
    const events = run(openaiChat.decodeStream(), [...frames.slice(0, 2), ...frames.slice(1)])
    expect(events.filter((event) => event.type === 'finish')).toHaveLength(1)
    const late = run(openaiChat.decodeStream(), [...frames.slice(0, 2), ...frames])
    expect(late.at(-1)?.type).toBe('finish')
  })

  test('what is no chunk is kept', () => {
    const events = run(openaiChat.decodeStream(), [{ data: '{"object":"new.thing","x":1}' }, { data: 'not json' }, { data: '' }])
    expect(events).toEqual([
      { type: 'foreign', from: 'openai-chat', data: { object: 'new.thing', x: 1 } },
      { type: 'foreign', from: 'openai-chat', data: { raw: 'not json' } },
    ])
    expect(run(openaiChat.encodeStream(CALL), events).map((frame) => frame.data)).toEqual(['{"object":"new.thing","x":1}', 'not json'])
  })

  test('usage repeated in every chunk is told once, at the end', () => {
    const chunk = (completion: number, reason: string | null) => ({
      data: JSON.stringify({
        id: 'c',
        choices: [{ index: 0, delta: { content: 'a' }, finish_reason: reason }],
        usage: { prompt_tokens: 5, completion_tokens: completion, total_tokens: 5 + completion },
      }),
    })
    const events = run(openaiChat.decodeStream(), [chunk(1, null), chunk(2, null), chunk(3, 'stop')])
    expect(events.filter((event) => event.type === 'usage')).toEqual([
      {
        type: 'usage',
        usage: { ...EMPTY_USAGE, input: 5, output: 3 },
        rawUsage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
      },
    ])
    expect(run(openaiChat.decodeStream(), [chunk(1, null), chunk(2, null)]).at(-1)).toMatchObject({ type: 'usage', usage: { output: 2 } })
  })

  test('sound is put together with its transcript', () => {
    const events = decode([
      { audio: { id: 'a1', transcript: 'He' } },
      { audio: { data: 'AA==' } },
      { audio: { transcript: 'y' } },
      { audio: { expires_at: 9 } },
    ])
    const whole = openaiChat.decodeResponse({
      choices: [{ message: { content: null, audio: { id: 'a1', data: 'AA==', transcript: 'Hey', expires_at: 9 } } }],
    })
    expect(blocks(events)).toEqual(whole.choices[0]?.content)
  })
})
