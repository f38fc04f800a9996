import { describe, expect, test } from 'bun:test'
import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import { EMPTY_USAGE } from '../../../../contract/meters.ts'
import type { Block, Completion, Finish } from '../canonical.ts'
import { claude } from '../claude/index.ts'
import { gemini } from '../gemini/index.ts'
import { openaiChat } from '../openai-chat/index.ts'
import { openaiResponses } from './index.ts'
import { CALL, fixtures, json, ours } from './test-kit.ts'

function completion(content: Block[], finish: Finish = { reason: 'stop' }): Completion {
  return {
    id: 'msg_01',
    model: 'claude-opus-5',
    choices: [{ index: 0, content, finish }],
    usage: { ...EMPTY_USAGE, input: 5, output: 7, cachedInput: 2, cacheWrite: 1, cacheWrite1h: 3, reasoning: 4 },
  }
}

function output(content: Block[], call = CALL): Json[] {
  const { body } = openaiResponses.encodeResponse(completion(content), call)
  return Array.isArray(body.output) ? body.output : []
}

describe('a whole answer of this protocol', () => {
  for (const { name, path } of fixtures('.json').filter((each) => Array.isArray(json(each.path).output))) {
    test(`comes back as it was, but for the model's name: ${name}`, () => {
      const before = json(path)
      const { body, losses } = openaiResponses.encodeResponse(openaiResponses.decodeResponse(json(path)), CALL)
      expect(body).toMatchObject({ ...before, model: 'house-model' })
      expect(body.output).toEqual(before.output)
      expect(losses).toEqual([])
    })
  }

  test('tells thoughts, words, calls and hosted tools apart', () => {
    const { choices, usage } = openaiResponses.decodeResponse(ours('answer-full.json'))
    const [choice] = choices
    expect(choice?.content.map((block) => block.type)).toEqual(['reasoning', 'foreign', 'text', 'call', 'call', 'call'])
    expect(choice?.content[0]).toMatchObject({
      text: '**Looking**\n\nThe city is Bonn.\n\n**Calling**\n\nTwo tools.',
      seal: { by: 'openai-responses', value: 'rs_a:gAAAAABseal==' },
    })
    expect(choice?.content[4]).toMatchObject({ id: 'call_b', name: 'apply_patch', input: '*** Begin Patch\n', custom: true })
    expect(choice?.content[5]).toMatchObject({ name: 'mcp__calendar-_-create_event' })
    expect(choice?.finish).toMatchObject({ reason: 'tool_calls', raw: 'completed' })
    expect(usage).toEqual({ ...EMPTY_USAGE, input: 36, cachedInput: 64, cacheWrite: 20, output: 50, reasoning: 30 })
  })

  test('keeps the log probabilities of each part with it', () => {
    const part = (words: string) => ({
      type: 'output_text',
      text: words,
      annotations: [],
      logprobs: [{ token: words, logprob: -1, bytes: [], top_logprobs: [] }],
    })
    const body = {
      id: 'resp_1',
      model: 'm',
      status: 'completed',
      output: [{ id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content: [part('a'), part('b')] }],
    }
    const answer = openaiResponses.decodeResponse(body)
    expect(answer.choices[0]?.logprobs).toMatchObject({ content: [{ token: 'a' }, { token: 'b' }] })
    expect(openaiResponses.encodeResponse(answer, CALL).body.output).toEqual(body.output)
  })

  test('gives tools of other protocols their own names back', () => {
    const call = { id: 'fc_1', type: 'function_call', call_id: 'c', name: 'tg_fs_x2e_read', arguments: '{}', status: 'completed' }
    expect(openaiResponses.decodeResponse({ id: 'resp_1', model: 'm', output: [call] }).choices[0]?.content[0]).toMatchObject({
      name: 'fs.read',
    })
  })

  test('shows an image the model made to clients of other protocols', () => {
    expect(openaiResponses.decodeResponse(ours('answer-image.json')).choices[0]?.content[0]).toMatchObject({
      type: 'media',
      mediaType: 'image/webp',
      data: { base64: 'UklGRg==' },
    })
  })

  test('loses on other roads only citations and the blocks of hosted tools', () => {
    const answer = openaiResponses.decodeResponse(ours('answer-full.json'))
    for (const protocol of [claude, openaiChat, gemini]) {
      const paths = protocol.encodeResponse(answer, CALL).losses.map((loss) => loss.path)
      expect(paths.filter((path) => !/(content|parts)\[[12]\]/.test(path))).toEqual([])
    }
  })
})

describe('an answer of another maker', () => {
  test("has every member the API documents, the platform's model name and ids made of the call's", () => {
    const { body, losses } = openaiResponses.encodeResponse(
      completion(
        [
          { type: 'reasoning', text: 'hm', seal: { by: 'claude', value: 'sig' } },
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
          { type: 'call', id: 'toolu_1', name: 'f', input: '{}' },
          { type: 'media', mediaType: 'image/png', data: { base64: 'AA==' } },
        ],
        { reason: 'tool_calls' },
      ),
      CALL,
    )
    expect(losses).toEqual([])
    expect(body).toMatchObject({
      id: 'resp_01ours',
      object: 'response',
      created_at: CALL.created,
      status: 'completed',
      model: 'house-model',
      error: null,
      incomplete_details: null,
      tools: [],
      usage: {
        input_tokens: 11,
        input_tokens_details: { cached_tokens: 2, cache_write_tokens: 4 },
        output_tokens: 7,
        output_tokens_details: { reasoning_tokens: 4 },
        total_tokens: 18,
        cache_creation_1h_input_tokens: 3,
      },
    })
    expect(body.output).toEqual([
      { id: 'rs_01ours_0', type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'tg1.claude.c2ln' },
      {
        id: 'msg_01ours_1',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [
          { type: 'output_text', annotations: [], logprobs: [], text: 'a' },
          { type: 'output_text', annotations: [], logprobs: [], text: 'b' },
        ],
      },
      { id: 'fc_01ours_2', type: 'function_call', status: 'completed', arguments: '{}', call_id: 'toolu_1', name: 'f' },
      { id: 'ig_01ours_3', type: 'image_generation_call', status: 'completed', output_format: 'png', result: 'AA==' },
    ])
  })

  test("ends in the API's words", () => {
    const status = (finish: Finish, content: Block[] = [{ type: 'text', text: 'x' }]) => {
      const { body } = openaiResponses.encodeResponse(completion(content, finish), CALL)
      return [body.status, isObject(body.incomplete_details) ? body.incomplete_details.reason : null]
    }
    expect(status({ reason: 'stop' })).toEqual(['completed', null])
    expect(status({ reason: 'pause', raw: 'pause_turn' })).toEqual(['completed', null])
    expect(status({ reason: 'length' })).toEqual(['incomplete', 'max_output_tokens'])
    expect(status({ reason: 'context_window' })).toEqual(['incomplete', 'max_output_tokens'])
    expect(status({ reason: 'content_filter' })).toEqual(['incomplete', 'content_filter'])
    expect(status({ reason: 'refusal' })).toEqual(['incomplete', 'content_filter'])
    expect(status({ reason: 'refusal' }, [{ type: 'refusal', text: 'no' }])).toEqual(['completed', null])
  })

  test('says back what was asked, and calls a free-form tool as one', () => {
    const request = ours('request-code-mode.json')
    const [item] = output([{ type: 'call', id: 'c', name: 'shell-_-exec', input: '{"input":"ls(\\"a\\")\\n"}' }], { ...CALL, request })
    expect(item).toMatchObject({ type: 'custom_tool_call', input: 'ls("a")\n', name: 'exec', namespace: 'shell', id: 'ctc_01ours_0' })
    const { body } = openaiResponses.encodeResponse(completion([]), { ...CALL, request: ours('request-codex.json') })
    expect(body).toMatchObject({
      reasoning: { effort: 'medium', summary: 'auto' },
      text: { verbosity: 'low' },
      tool_choice: 'auto',
      prompt_cache_key: '0190-session',
      store: false,
    })
    expect(body.tools).toHaveLength(4)
  })

  test('says with a loss what it cannot carry', () => {
    const answer = completion([
      { type: 'media', mediaType: 'audio/wav', data: { base64: 'AA==' } },
      { type: 'foreign', from: 'claude', data: { type: 'new' } },
      { type: 'text', text: 'x', ext: { claude: { citations: [1] } } },
    ])
    answer.choices.push({ index: 1, content: [], finish: { reason: 'stop' } })
    expect(openaiResponses.encodeResponse(answer, CALL).losses.map((loss) => loss.path)).toEqual([
      'choices[1]',
      'output[0]',
      'output[1]',
      'output[2].citations',
    ])
  })
})

describe('seals of other makers', () => {
  /** What a client sends back that keeps only what Codex keeps: no ids. */
  function echoed(items: Json[]): JsonObject[] {
    return items.filter(isObject).map(({ id, status, ...item }) => item)
  }

  const SEALED: Block[] = [
    { type: 'reasoning', text: 'Let me see.', seal: { by: 'claude', value: 'EqQBsig+/=' } },
    { type: 'reasoning', text: '', redacted: true, seal: { by: 'claude', value: 'redacted==' } },
    { type: 'call', id: 'call_1', name: 'f', input: '{}', seal: { by: 'gemini', value: 'CpwDsig' } },
  ]

  test('survive a client that sends items back without their ids', () => {
    const { messages } = openaiResponses.decodeRequest({ model: 'm', input: echoed(output(SEALED)) }, {})
    expect(messages[0]?.content).toEqual([
      { type: 'reasoning', text: 'Let me see.', seal: { by: 'claude', value: 'EqQBsig+/=' } },
      { type: 'reasoning', text: '', redacted: true, seal: { by: 'claude', value: 'redacted==' } },
      { type: 'call', id: 'call_1', name: 'f', input: '{}', seal: { by: 'gemini', value: 'CpwDsig' } },
    ])
  })

  test('of a call survive a client that sends nothing but calls and results', () => {
    const items = echoed(output(SEALED)).filter((item) => item.type === 'function_call')
    const result = { type: 'function_call_output', call_id: items[0]?.call_id, output: 'ok' }
    const turn = openaiResponses.decodeRequest({ model: 'm', input: [...items, result] }, {})
    expect(turn.messages).toMatchObject([
      { content: [{ type: 'call', id: 'call_1', seal: { by: 'gemini', value: 'CpwDsig' } }] },
      { content: [{ type: 'result', callId: 'call_1' }] },
    ])
    expect(JSON.stringify(gemini.encodeRequest(turn).body)).toContain('"thoughtSignature":"CpwDsig"')
  })

  test('reach Claude as the signed thoughts they were', () => {
    const input = [...echoed(output(SEALED)), { type: 'function_call_output', call_id: 'call_1', output: 'ok' }]
    const { body } = claude.encodeRequest(openaiResponses.decodeRequest({ model: 'claude-opus-5', input }, {}))
    expect(body.messages).toMatchObject([
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Let me see.', signature: 'EqQBsig+/=' },
          { type: 'redacted_thinking', data: 'redacted==' },
          { type: 'tool_use', id: 'call_1' },
        ],
      },
      { role: 'user' },
    ])
  })
})
