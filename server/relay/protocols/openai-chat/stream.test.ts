import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import { EMPTY_USAGE } from '../../../../contract/meters.ts'
import type { Event } from '../canonical.ts'
import { collect } from '../collect.ts'
import { openaiChat } from './index.ts'
import { CALL, deltas, jsonOf, ours, oursFrames, run, settled, streams } from './test-kit.ts'

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
      const told = jsonOf(frames).map((chunk) => openaiChat.usage(chunk)).findLast((usage) => usage)
      expect(collect(events).usage).toEqual(told)
      const written = frames.map((frame) => openaiChat.tap(frame).text).join('')
      const read = collect(events).choices.map((choice) => choice.content).flat().map((block) => (
        block.type === 'call' ? block.name + block.input : 'text' in block ? block.text : '')).join('')
      expect([...read].sort().join('')).toBe([...written].sort().join(''))
    })
  }

  test('calls told in turns are told one after the other', () => {
    const call = (index: number, args: string, id?: string) => ({ tool_calls: [{ index, ...(id ? { id, function: { name: 'f', arguments: args } } : { function: { arguments: args } }) }] })
    const events = decode([call(0, '{"a"', 'x'), call(1, '{"b"', 'y'), call(0, ':1}'), call(2, '', 'z'), call(1, ':2}')], 'tool_calls')
    wellFormed(events)
    const order = events.filter((event) => event.type === 'open' || event.type === 'close').map((event) => `${event.type} ${event.index}`)
    expect(order).toEqual(['open 0', 'close 0', 'open 1', 'close 1', 'open 2', 'close 2'])
    expect(blocks(events)?.map((block) => block.type === 'call' && block.id + block.input)).toEqual(['x{"a":1}', 'y{"b":2}', 'z'])
  })

  test('calls without index, with the same index, with empty or repeated ids are kept apart', () => {
    const f = (name: string, args: string) => ({ function: { name, arguments: args } })
    expect(blocks(decode([{ tool_calls: [{ id: 'a', ...f('f', '{}') }, { id: 'b', ...f('g', '{}') }] }]))?.length).toBe(2)
    expect(blocks(decode([{ tool_calls: [{ index: 0, id: 'a', ...f('f', '{}') }] }, { tool_calls: [{ index: 0, id: 'b', ...f('g', '{}') }] }]))?.length).toBe(2)
    for (const again of ['', 'a', undefined]) {
      const events = decode([{ tool_calls: [{ index: 0, id: 'a', ...f('f', '{') }] }, { tool_calls: [{ index: 0, ...(again === undefined ? {} : { id: again }), ...f('', '}') }] }])
      expect(blocks(events)).toEqual([{ type: 'call', id: 'a', name: 'f', input: '{}' }])
    }
    expect(blocks(decode([{ tool_calls: [{ id: 'a', function: { name: 'f' } }] }, { tool_calls: [{ function: { arguments: { a: 1 } } }] }])))
      .toEqual([{ type: 'call', id: 'a', name: 'f', input: '{"a":1}' }])
    expect(collect(decode([{ function_call: { name: 'old', arguments: '{' } }, { function_call: { arguments: '}' } }], 'function_call')).choices[0])
      .toMatchObject({ content: [{ type: 'call', name: 'old', input: '{}' }], finish: { reason: 'tool_calls' } })
  })

  test('thoughts are read from every member vendors tell them in', () => {
    for (const [member, value] of [['reasoning_content', 'reasoning_content'], ['reasoning', 'reasoning']] as const) {
      expect(blocks(decode([{ [member]: 'a', content: '' }, { [member]: 'b', content: null }, { content: 'c' }]))).toEqual([
        { type: 'reasoning', text: 'ab', seal: { by: 'openai-chat', value } }, { type: 'text', text: 'c' },
      ])
    }
    const details = (text: string, more = {}) => ({ reasoning: text, reasoning_details: [{ type: 'reasoning.text', index: 0, text, ...more }] })
    const [block] = blocks(decode([details('a'), details('b', { signature: 's' }), { content: 'c' }])) ?? []
    expect(block).toMatchObject({ type: 'reasoning', text: 'ab', seal: { by: 'openai-chat' } })
    expect(JSON.parse(block?.type === 'reasoning' && block.seal ? block.seal.value : '')).toEqual(
      { member: 'reasoning', details: [{ type: 'reasoning.text', index: 0, text: 'ab', signature: 's' }] })
  })

  test('an error inside the stream is a fault and no end', () => {
    for (const frame of [{ data: '{"error":{"message":"busy","type":"server_error","code":"overloaded"}}' }, { event: 'error', data: '{"message":"busy"}' },
      { data: '{"id":"c","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"busy"}}' }]) {
      const events = run(openaiChat.decodeStream(), [...deltas([{ content: 'a' }]).slice(0, 1), frame])
      expect(events.find((event) => event.type === 'fault')).toMatchObject({ fault: { message: 'busy' } })
      expect(events.some((event) => event.type === 'finish')).toBe(false)
    }
  })

  test('a cut stream has no finish; one that only lacks its finish reason has', () => {
    const cut = deltas([{ content: 'a' }]).slice(0, 1)
    expect(run(openaiChat.decodeStream(), cut).map((event) => event.type)).toEqual(['start', 'open', 'delta', 'close'])
    expect(run(openaiChat.decodeStream(), [...cut, { data: '[DONE]' }]).at(-1)).toEqual({ type: 'finish', choice: 0, finish: { reason: 'stop' } })
  })

  test('what is no chunk is kept', () => {
    const events = run(openaiChat.decodeStream(), [{ data: '{"object":"new.thing","x":1}' }, { data: 'not json' }, { data: '' }])
    expect(events).toEqual([
      { type: 'foreign', from: 'openai-chat', data: { object: 'new.thing', x: 1 } }, { type: 'foreign', from: 'openai-chat', data: { raw: 'not json' } },
    ])
    expect(run(openaiChat.encodeStream(CALL), events).map((frame) => frame.data)).toEqual(['{"object":"new.thing","x":1}', 'not json'])
  })

  test('usage repeated in every chunk is told once, at the end', () => {
    const chunk = (completion: number, reason: string | null) => ({
      data: JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content: 'a' }, finish_reason: reason }], usage: { prompt_tokens: 5, completion_tokens: completion, total_tokens: 5 + completion } }),
    })
    const events = run(openaiChat.decodeStream(), [chunk(1, null), chunk(2, null), chunk(3, 'stop')])
    expect(events.filter((event) => event.type === 'usage')).toEqual([
      { type: 'usage', usage: { ...EMPTY_USAGE, input: 5, output: 3 }, rawUsage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 } }])
    expect(run(openaiChat.decodeStream(), [chunk(1, null), chunk(2, null)]).at(-1)).toMatchObject({ type: 'usage', usage: { output: 2 } })
  })

  test('sound is put together with its transcript', () => {
    const events = decode([{ audio: { id: 'a1', transcript: 'He' } }, { audio: { data: 'AA==' } }, { audio: { transcript: 'y' } }, { audio: { expires_at: 9 } }])
    const whole = openaiChat.decodeResponse({ choices: [{ message: { content: null, audio: { id: 'a1', data: 'AA==', transcript: 'Hey', expires_at: 9 } } }] })
    expect(blocks(events)).toEqual(whole.choices[0]?.content)
  })
})

describe('a stream that is written', () => {
  const EVENTS: Event[] = [
    { type: 'start', id: 'c1', model: 'upstream', created: 5, serviceTier: 'default', ext: { 'openai-chat': { system_fingerprint: 'fp' } } },
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
    const choice = (delta: JsonObject, finish: string | null = null, logprobs: JsonObject | null = null) => ({ ...head, choices: [{ index: 0, delta, logprobs, finish_reason: finish }], ...tail })
    expect(jsonOf(frames)).toEqual([
      choice({ role: 'assistant', content: '', refusal: null }),
      choice({ reasoning_content: 'hm' }),
      choice({ content: 'Hi "you"\n\u{1f600}' }, null, { content: [{ token: 'Hi' }], refusal: null }),
      choice({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] }),
      choice({ tool_calls: [{ index: 0, function: { arguments: '{"x":' } }] }),
      choice({ tool_calls: [{ index: 0, function: { arguments: '1}' } }] }),
      choice({ tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '' } }] }),
      choice({}, 'tool_calls'),
      { ...head, choices: [], service_tier: 'default', system_fingerprint: 'fp', usage: {
        prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 }, completion_tokens_details: { reasoning_tokens: 1, audio_tokens: 0 } } },
    ])
    expect(frames.at(-1)).toEqual({ data: '[DONE]' })
  })

  test('is read back as the same events', () => {
    const events = run(openaiChat.decodeStream(), run(openaiChat.encodeStream(CALL), EVENTS))
    const expected = EVENTS.map((event) => (event.type === 'start' ? { ...event, model: 'house-model' } : event))
    expect(settled(events).map((event) => (event.type === 'usage' ? { type: 'usage', usage: event.usage } : event))).toEqual(settled(expected) as typeof events)
  })

  for (const { name, frames } of streams()) {
    test(`a recorded stream written and read again says the same: ${name}`, () => {
      const first = collect(run(openaiChat.decodeStream(), frames))
      const again = collect(run(openaiChat.decodeStream(), run(openaiChat.encodeStream(CALL), run(openaiChat.decodeStream(), frames))))
      const plain = (completion: typeof first) => ({
        ...completion, model: '', rawUsage: null, usage: { reasoning: 0, ...completion.usage },
        choices: completion.choices.map((choice) => ({ ...choice, content: choice.content.map((block) => (block.type === 'reasoning' ? { ...block, seal: null } : block)) })),
      })
      expect(plain(again)).toEqual(plain(first) as ReturnType<typeof plain>)
    })
  }

  test('has no usage for those who did not ask', () => {
    const frames = run(openaiChat.encodeStream({ ...CALL, wantsUsage: false }), EVENTS)
    expect(frames.some((frame) => frame.data.includes('usage'))).toBe(false)
    expect(frames.at(-1)?.data).toBe('[DONE]')
  })

  test('after a fault, or without a finish, there is no end marker', () => {
    const broken = run(openaiChat.encodeStream(CALL), [...EVENTS.slice(0, 7), { type: 'fault', fault: { kind: 'overloaded', status: 503, message: 'busy' } }, ...EVENTS.slice(7)])
    expect(JSON.parse(broken.at(-1)?.data ?? '')).toEqual({ error: { message: 'busy', type: 'server_error', param: null, code: 'overloaded' } })
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
      [{ index: 0, delta: { role: 'assistant' } }], [{ index: 0, delta: { images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AABB' } }] } }],
      [{ index: 1, delta: { role: 'assistant' } }], [{ index: 1, delta: { content: 'x' } }],
    ])
  })
})
