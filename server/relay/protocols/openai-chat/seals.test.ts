import { describe, expect, test } from 'bun:test'
import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Block, Completion, Event, Loss } from '../canonical.ts'
import { collect } from '../collect.ts'
import { openaiChat } from './index.ts'
import { readCallId, writeCallId } from './seals.ts'
import { CALL, deltas, jsonOf, run } from './test-kit.ts'

const THOUGHT: Block = { type: 'reasoning', text: 'Let me \u{1f914} look.', seal: { by: 'claude', value: 'EqQB+/==' } }
const HIDDEN: Block = { type: 'reasoning', text: '', seal: { by: 'claude', value: 'ZW5j' }, redacted: true }
const TEXT: Block = { type: 'text', text: 'Looking.' }
const CALL_A: Block = { type: 'call', id: 'toolu_1', name: 'ls', input: '{"a":1}' }
const CALL_B: Block = { type: 'call', id: 'fc_2', name: 'ls', input: '{}', seal: { by: 'gemini', value: 'c2ln' } }

function answer(content: Block[]): JsonObject {
  const completion: Completion = { id: 'x', model: 'm', choices: [{ index: 0, content, finish: { reason: 'tool_calls' } }] }
  const { body } = openaiChat.encodeResponse(completion, CALL)
  const choice = Array.isArray(body.choices) ? body.choices[0] : undefined
  if (!isObject(choice) || !isObject(choice.message)) throw new Error('no message')
  return choice.message
}

/** What OpenAI's SDK, LangChain and the like keep of an assistant's message: its text, and id, name and arguments of its calls. */
function echoed(message: JsonObject): JsonObject {
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls.filter(isObject) : []
  return {
    role: 'assistant',
    content: message.content,
    ...(calls.length > 0 ? { tool_calls: calls.map((call) => ({ id: call.id, type: 'function', function: call.function })) } : {}),
  }
}

function reread(message: JsonObject, ids: string[] = []): Block[][] {
  const results = ids.map((id): JsonObject => ({ role: 'tool', tool_call_id: id, content: 'ok' }))
  return openaiChat
    .decodeRequest({ model: 'm', messages: [{ role: 'user', content: 'x' }, message, ...results] }, {})
    .messages.slice(1)
    .map((each) => each.content)
}

function callIds(message: JsonObject): string[] {
  return Array.isArray(message.tool_calls) ? message.tool_calls.filter(isObject).map((call) => String(call.id)) : []
}

/** The events that tell these blocks, with seals the way a stream gives them: at the end. */
function eventsOf(blocks: Block[]): Event[] {
  const events: Event[] = [{ type: 'start', id: 'x', model: 'm' }]
  for (const [index, block] of blocks.entries()) {
    if (block.type === 'reasoning') {
      const { seal, ...plain } = block
      events.push({ type: 'open', choice: 0, index, block: { ...plain, text: '' } })
      if (block.text !== '') events.push({ type: 'delta', choice: 0, index, text: block.text })
      if (seal) events.push({ type: 'seal', choice: 0, index, seal })
    } else if (block.type === 'call') {
      events.push(
        { type: 'open', choice: 0, index, block: { ...block, input: '' } },
        { type: 'delta', choice: 0, index, text: block.input },
      )
    } else events.push({ type: 'open', choice: 0, index, block })
    events.push({ type: 'close', choice: 0, index })
  }
  return [...events, { type: 'finish', choice: 0, finish: { reason: 'tool_calls' } }]
}

/** The message a client puts together from a stream. */
function streamed(blocks: Block[]): JsonObject {
  const message: JsonObject = { role: 'assistant', content: '' }
  const calls: JsonObject[] = []
  for (const chunk of jsonOf(run(openaiChat.encodeStream(CALL), eventsOf(blocks)))) {
    const choice = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined
    const delta = isObject(choice) && isObject(choice.delta) ? choice.delta : {}
    if (typeof delta.content === 'string') message.content = String(message.content) + delta.content
    for (const entry of Array.isArray(delta.tool_calls) ? delta.tool_calls.filter(isObject) : []) {
      const slot = Number(entry.index)
      const piece = isObject(entry.function) ? entry.function : {}
      const known = calls[slot]
      if (known && isObject(known.function)) known.function.arguments = String(known.function.arguments) + String(piece.arguments)
      else calls[slot] = { id: entry.id, type: 'function', function: { ...piece } }
    }
    if (Array.isArray(delta.reasoning_details)) {
      message.reasoning_details = [
        ...(Array.isArray(message.reasoning_details) ? message.reasoning_details : []),
        ...delta.reasoning_details,
      ]
    }
  }
  return { ...message, ...(calls.length > 0 ? { tool_calls: calls } : {}) }
}

describe('seals of other makers', () => {
  for (const [how, tell] of [
    ['a whole answer', answer],
    ['a stream', streamed],
  ] as const) {
    test(`come back through a client that echoes only id, name and arguments: ${how}`, () => {
      const blocks = [THOUGHT, HIDDEN, TEXT, CALL_A, CALL_B]
      const message = echoed(tell(blocks))
      const [assistant, results] = reread(message, callIds(message))
      expect(assistant).toEqual(blocks)
      expect(results?.map((block) => block.type === 'result' && block.callId)).toEqual(['toolu_1', 'fc_2'])
    })

    test(`thoughts between two calls come back between them: ${how}`, () => {
      const blocks = [THOUGHT, CALL_A, HIDDEN, CALL_B]
      expect(reread(echoed(tell(blocks)))[0]).toEqual(blocks)
    })

    test(`without a call they ride in reasoning_details: ${how}`, () => {
      const message = tell([THOUGHT, TEXT])
      expect(message.reasoning_details).toMatchObject([{ type: 'reasoning.encrypted', index: 0 }])
      expect(reread({ ...echoed(message), reasoning_details: message.reasoning_details })[0]).toEqual([THOUGHT, TEXT])
      // A client that keeps nothing loses the thoughts, not the talk.
      expect(reread(echoed(message))[0]).toEqual([TEXT])
    })

    test(`a client that echoes everything tells them once: ${how}`, () => {
      expect(reread({ ...tell([THOUGHT, CALL_A]), reasoning_content: 'Let me \u{1f914} look.' })[0]).toEqual([THOUGHT, CALL_A])
    })
  }

  test('a seal that comes after its call was begun rides beside it', () => {
    const events = eventsOf([CALL_A])
    const late = events.toSpliced(3, 0, { type: 'seal', choice: 0, index: 0, seal: { by: 'gemini', value: 'late' } })
    const frames = run(openaiChat.encodeStream(CALL), late)
    expect(collect(run(openaiChat.decodeStream(), frames)).choices[0]?.content).toEqual([
      { ...CALL_A, seal: { by: 'gemini', value: 'late' } },
    ])
  })

  test('a stream of a gateway like ours is read back with them', () => {
    for (const blocks of [
      [THOUGHT, HIDDEN, TEXT, CALL_A, CALL_B],
      [THOUGHT, CALL_A],
      [HIDDEN, CALL_B],
    ]) {
      const frames = run(openaiChat.encodeStream(CALL), eventsOf(blocks))
      expect(collect(run(openaiChat.decodeStream(), frames)).choices[0]?.content).toEqual(blocks)
    }
  })

  test('are stripped from what goes to a Chat upstream, on both roads, with a loss', () => {
    const message = answer([THOUGHT, TEXT, CALL_A, CALL_B])
    const body: JsonObject = { model: 'm', messages: [message, { role: 'tool', tool_call_id: callIds(message)[0], content: 'ok' }] }
    const translated = openaiChat.encodeRequest(openaiChat.decodeRequest(body, {}))
    const losses: Loss[] = []
    const patched = openaiChat.patch(body, { model: 'n', stream: false, losses })
    for (const written of [translated.body, patched]) {
      expect(JSON.stringify(written)).not.toMatch(/tgr?1\./)
      expect(JSON.stringify(written.messages)).toContain('"id":"toolu_1"')
      expect(JSON.stringify(written.messages)).toContain('"tool_call_id":"toolu_1"')
    }
    expect(translated.losses.map((loss) => loss.path)).toEqual(['messages[0].content[0]', 'messages[0].content[3].signature'])
    expect(losses.map((loss) => loss.path)).toEqual(['messages[0].tool_calls', 'messages[0].reasoning_details'])
    expect(JSON.stringify(body)).toMatch(/tgr1\./)
  })

  test('an id that only looks like ours stays an id', () => {
    for (const id of [
      'call.tg1.x',
      'call.tgr1.!!',
      'call.tgr1.e30',
      'call.tgr1.W1sxXV0',
      'a.tg1.Claude.eA',
      'x.tg1.',
      `x.tgr1.${Buffer.from('[["NO","a","b",0]]').toString('base64url')}`,
    ]) {
      expect(readCallId(id)).toEqual({ id, reasoning: [] })
    }
    expect(readCallId(writeCallId('', [], { by: 'gemini', value: 's' }))).toEqual({
      id: '',
      reasoning: [],
      seal: { by: 'gemini', value: 's' },
    })
  })
})

describe('thoughts of a Chat upstream', () => {
  test('go back in the member they came in, whatever protocol carried the seal', () => {
    const details = [{ type: 'reasoning.text', text: 'hm', signature: 's', index: 0 }]
    for (const [told, back] of [
      [{ reasoning_content: 'hm' }, { reasoning_content: 'hm' }],
      [{ reasoning: 'hm' }, { reasoning: 'hm' }],
      [
        { reasoning: 'hm', reasoning_details: details },
        { reasoning: 'hm', reasoning_details: details },
      ],
      [{ reasoning_details: details }, { reasoning_details: details }],
      [
        { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] },
        { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] },
      ],
    ] as const) {
      const [block] = collect(run(openaiChat.decodeStream(), deltas([JSON.parse(JSON.stringify(told))]))).choices[0]?.content ?? []
      if (block?.type !== 'reasoning') throw new Error('no thoughts')
      // Other protocols keep text and seal, nothing else.
      const kept: Block = { type: 'reasoning', text: block.text, ...(block.seal ? { seal: block.seal } : {}) }
      const { body, losses } = openaiChat.encodeRequest({
        model: 'm',
        stream: false,
        system: [],
        messages: [{ role: 'assistant', content: [kept] }],
        tools: [],
        ext: { claude: {} },
      })
      expect(body).toEqual({ model: 'm', messages: [{ role: 'assistant', content: '', ...structuredClone<object>(back) }] })
      expect(losses).toEqual([])
    }
  })

  test("Gemini's signature in extra_content goes back with its call", () => {
    const extra = { google: { thought_signature: 'c2ln' } }
    const call = { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' }, extra_content: extra }
    const [block] = collect(run(openaiChat.decodeStream(), deltas([{ tool_calls: [call] }]))).choices[0]?.content ?? []
    expect(block).toMatchObject({ type: 'call', id: 'a', seal: { by: 'openai-chat' } })
    const { body } = openaiChat.encodeRequest({
      model: 'm',
      stream: false,
      system: [],
      messages: [{ role: 'assistant', content: block ? [block] : [] }],
      tools: [],
    })
    expect(body).toMatchObject({ messages: [{ tool_calls: [{ id: 'a', extra_content: extra }] }] })
  })
})
