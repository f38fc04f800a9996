// long file: one promise after another about the same thing, read as a list
import { describe, expect, test } from 'bun:test'
import type { Block, Message } from '../canonical.ts'
import { claude } from '../claude/index.ts'
import { gemini } from '../gemini/index.ts'
import { openaiChat } from '../openai-chat/index.ts'
import { WireError } from '../protocol.ts'
import { openaiResponses } from './index.ts'
import { encodeTurn, ours, user } from './test-kit.ts'

const REQUESTS = ['request-everything.json', 'request-codex.json', 'request-code-mode.json', 'request-string.json']
const GEMINI_SEAL = { by: 'gemini', value: 'sig+/=' }

function assistant(...content: Block[]): Message {
  return { role: 'assistant', content }
}

describe('a request spoken in this protocol', () => {
  for (const name of REQUESTS) {
    test(`comes back as it was, without a loss: ${name}`, () => {
      const before = structuredClone(ours(name))
      const body = ours(name)
      const { body: again, losses } = openaiResponses.encodeRequest(openaiResponses.decodeRequest(body, {}))
      expect(again).toEqual(before)
      expect(losses).toEqual([])
      expect(body).toEqual(before)
    })
  }

  test('keeps members, parts and wrong types nobody knows', () => {
    const body = {
      model: 'm',
      max_output_tokens: 'many',
      tools: 'none',
      text: 7,
      reasoning: 'yes',
      new_member: { a: [1] },
      temperature: null,
      metadata: [1],
      input: [
        { type: 'brand_new', x: 1 },
        { role: 'critic', content: 'hm' },
        { role: 'user', content: [] },
        { type: 'function_call', name: 7 },
        { type: 'reasoning', summary: 'odd' },
        { type: 'function_call_output', call_id: 'c', output: { ok: true } },
        {
          role: 'user',
          content: [
            { type: 'input_file', filename: 'a.csv', file_data: 'YSxi' },
            { type: 'input_audio', input_audio: { data: 'AA==', format: 'ogg' } },
          ],
        },
        { type: 'additional_tools', role: 'developer', tools: [{ type: 'custom', name: 'late' }] },
        { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: '' }], encrypted_content: '', content: [] },
      ],
      tool_choice: { type: 'hosted' },
    }
    expect(openaiResponses.encodeRequest(openaiResponses.decodeRequest(body, {}))).toEqual({ body, losses: [] })
  })

  test('has the marks of its prompt cache as marks, and documents by the kind their name tells', () => {
    const [, message] = openaiResponses.decodeRequest(ours('request-everything.json'), {}).messages
    expect(message?.content[0]).toMatchObject({ type: 'text', cache: {} })
    expect(message?.content[2]).toMatchObject({ type: 'media', mediaType: 'image/png', cache: { ttl: '1h' } })
    const bare = openaiResponses.decodeRequest(
      { model: 'm', input: [{ role: 'user', content: [{ type: 'input_file', filename: 'a.csv', file_data: 'YSxi' }] }] },
      {},
    )
    expect(bare.messages[0]?.content[0]).toMatchObject({ mediaType: 'text/csv', data: { base64: 'YSxi' }, name: 'a.csv' })
  })

  test('is one message where the model spoke in a row and one where results stand in a row', () => {
    const { messages } = openaiResponses.decodeRequest(ours('request-everything.json'), {})
    expect(messages.map((message) => [message.role, message.content.map((block) => block.type).join()])).toEqual([
      ['developer', 'text'],
      ['user', 'text,media,media,media,media,media,media,media,foreign'],
      ['assistant', 'reasoning,text,refusal,text,call,call,call'],
      ['user', 'result,result,result'],
      ['assistant', 'foreign,foreign,foreign,text,foreign'],
      ['user', 'text'],
    ])
  })

  test('gives every upstream the tools of namespaces and of additional_tools items', () => {
    const turn = openaiResponses.decodeRequest(ours('request-code-mode.json'), {})
    expect(turn.tools.map((tool) => (tool.type === 'foreign' ? '' : `${tool.type} ${tool.name}`))).toEqual([
      'custom shell-_-exec',
      'function wait',
    ])
    expect(turn.messages[1]?.content[0]).toMatchObject({ type: 'call', name: 'shell-_-exec', custom: true })
    for (const protocol of [claude, openaiChat, gemini]) {
      expect(JSON.stringify(protocol.encodeRequest(turn).body)).toContain('shell-_-exec')
    }
  })

  test('reports to other roads what was asked and not what is a default', () => {
    const turn = openaiResponses.decodeRequest(
      {
        model: 'm',
        input: 'x',
        background: false,
        truncation: 'disabled',
        include: ['reasoning.encrypted_content'],
        stream_options: {},
        conversation: null,
      },
      {},
    )
    expect(claude.encodeRequest(turn).losses).toEqual([])
    const asking = openaiResponses.decodeRequest({ model: 'm', input: 'x', previous_response_id: 'resp_1', background: true }, {})
    expect(claude.encodeRequest(asking).losses.map((loss) => loss.path)).toEqual(['previous_response_id', 'background'])
  })

  test('that nobody can understand is refused with the member at fault', () => {
    const param = (body: Parameters<typeof openaiResponses.decodeRequest>[0]) => {
      try {
        openaiResponses.decodeRequest(body, {})
      } catch (error) {
        return error instanceof WireError ? error.param : error
      }
      return 'nothing'
    }
    expect(param({ input: 'x' })).toBe('model')
    expect(param({ model: 'm' })).toBe('input')
    expect(param({ model: 'm', input: 7 })).toBe('input')
    expect(param({ model: 'm', input: [{ role: 'user', content: 'x' }, 'y'] })).toBe('input[1]')
    expect(param({ model: 'm', previous_response_id: 'resp_1' })).toBe('nothing')
  })
})

describe('seals in a request', () => {
  test('of another maker are stripped with a loss, thoughts and calls alike', () => {
    const body = {
      model: 'm',
      input: [
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'tg1.claude.c2ln' },
        { type: 'function_call', call_id: 'c1.tg1.gemini.c2ln', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1.tg1.gemini.c2ln', output: 'ok' },
      ],
    }
    const { body: again, losses } = openaiResponses.encodeRequest(openaiResponses.decodeRequest(body, {}))
    expect(again.input).toEqual([
      { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'ok' },
    ])
    expect(losses.map((loss) => loss.path)).toEqual(['messages[0].content[0]', 'messages[0].content[1].signature'])
  })

  test('that only pretend to be packed are given to nobody', () => {
    const turn = openaiResponses.decodeRequest({ model: 'm', input: [{ type: 'reasoning', summary: [], encrypted_content: 'tg1.!!' }] }, {})
    expect(turn.messages[0]?.content[0]).toMatchObject({ type: 'reasoning', seal: { by: 'invalid', value: '' } })
    expect(openaiResponses.encodeRequest(turn).body.input).toEqual([])
  })

  test('of our own go back to OpenAI under the id of their item after a talk in another protocol', () => {
    const thought = { id: 'rs_9', type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'gAAAA=' }
    const answer = openaiResponses.decodeResponse({ id: 'resp_1', model: 'm', output: [thought], status: 'completed' })
    const [block] = answer.choices[0]?.content ?? []
    if (block?.type !== 'reasoning' || !block.seal) throw new Error('no seal')
    const { body, paths } = encodeTurn({ messages: [user('x'), assistant({ type: 'reasoning', text: 'hm', seal: block.seal })] })
    expect(body.input).toEqual([{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'x' }] }, thought])
    expect(paths).toEqual([])
  })

  test('told too late for the call id come back from the item that carried them', () => {
    const turn = openaiResponses.decodeRequest(
      {
        model: 'm',
        input: [
          { type: 'function_call', call_id: 'functions.f:0', name: 'f', arguments: '{}' },
          { type: 'reasoning', summary: [], encrypted_content: 'tg1.gemini.c2lnKy89.call.functions.f:0' },
        ],
      },
      {},
    )
    expect(turn.messages[0]?.content).toEqual([{ type: 'call', id: 'functions.f:0', name: 'f', input: '{}', seal: GEMINI_SEAL }])
  })
})

describe('a turn of another protocol', () => {
  test('is not stored, and its thoughts are asked for sealed where the model thinks', () => {
    expect(encodeTurn({}).body).toEqual({
      model: 'gpt-5.4',
      store: false,
      include: ['reasoning.encrypted_content'],
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }],
    })
    expect(encodeTurn({ model: 'gpt-4.1' }).body.include).toBeUndefined()
    expect(encodeTurn({ store: true }).body.store).toBe(true)
  })

  test("has its tools, calls and results in OpenAI's form", () => {
    const { body, paths } = encodeTurn({
      tools: [
        { type: 'function', name: 'fs.read', schema: { type: 'object' } },
        { type: 'custom', name: 'patch' },
      ],
      toolChoice: { type: 'tool', name: 'patch' },
      parallelToolCalls: false,
      messages: [
        assistant(
          { type: 'text', text: '' },
          { type: 'call', id: 'a', name: 'fs.read', input: '' },
          { type: 'call', id: 'b'.repeat(80), name: 'patch', input: 'x', custom: true },
        ),
        {
          role: 'user',
          content: [
            { type: 'result', callId: 'a', isError: true, content: [{ type: 'text', text: 'no' }] },
            {
              type: 'result',
              callId: 'b'.repeat(80),
              isError: false,
              content: [{ type: 'media', mediaType: 'image/png', data: { base64: 'AA==' } }],
            },
            { type: 'result', callId: 'gone', isError: false, content: [{ type: 'text', text: 'late' }] },
            { type: 'text', text: 'Go on' },
          ],
        },
      ],
    })
    expect(body.tools).toEqual([
      { type: 'function', name: 'tg_fs_x2e_read', parameters: { type: 'object' }, strict: false },
      { type: 'custom', name: 'patch' },
    ])
    expect(body.tool_choice).toEqual({ type: 'custom', name: 'patch' })
    expect(body.parallel_tool_calls).toBe(false)
    const items = Array.isArray(body.input) ? body.input : []
    expect(items).toMatchObject([
      { type: 'function_call', call_id: 'a', name: 'tg_fs_x2e_read', arguments: '{}' },
      { type: 'custom_tool_call', name: 'patch', input: 'x' },
      { type: 'function_call_output', call_id: 'a', output: 'no' },
      { type: 'custom_tool_call_output', output: [{ type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'auto' }] },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'late' },
          { type: 'input_text', text: 'Go on' },
        ],
      },
    ])
    const ids = items.flatMap((item) => (typeof item === 'object' && item && !Array.isArray(item) ? [item.call_id] : []))
    expect(ids[1]).toBe(ids[3])
    expect(String(ids[1]).length).toBeLessThanOrEqual(64)
    expect(paths).toEqual(['messages[1].content[0].is_error', 'messages[1].content[2]'])
  })

  test('has files and sound in parts of their own, and loses what OpenAI cannot take', () => {
    const media = (mediaType: string, data: { base64: string } | { url: string } | { fileId: string }, name?: string): Block => ({
      type: 'media',
      mediaType,
      data,
      ...(name === undefined ? {} : { name }),
    })
    const { body, paths } = encodeTurn({
      messages: [
        {
          role: 'user',
          content: [
            media('application/pdf', { base64: 'JVBERi0=' }, 'Report'),
            media('application/pdf', { url: 'https://example.com/a.pdf' }),
            media('audio/mpeg', { base64: 'AA==' }),
            media('text/plain', { base64: 'aGk=' }),
            media('image/*', { url: 'https://example.com/a.png' }),
            media('video/mp4', { base64: 'AA==' }),
            media('image/png', { fileId: 'file_x' }),
          ],
        },
      ],
    })
    expect(body.input).toEqual([
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_file', filename: 'Report.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' },
          { type: 'input_file', file_url: 'https://example.com/a.pdf' },
          { type: 'input_audio', input_audio: { data: 'AA==', format: 'mp3' } },
          { type: 'input_file', filename: 'file.txt', file_data: 'data:text/plain;base64,aGk=' },
          { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'auto' },
        ],
      },
    ])
    expect(paths).toEqual(['messages[0].content[5]', 'messages[0].content[6]'])
  })

  test('asks for thought by effort, whatever measure it named', () => {
    const reasoning = (members: Parameters<typeof encodeTurn>[0]) => encodeTurn(members).body.reasoning
    expect(reasoning({ reasoning: { budgetTokens: 10_000, enabled: true, summary: 'summarized' } })).toEqual({
      effort: 'medium',
      summary: 'auto',
    })
    expect(reasoning({ reasoning: { effort: 'max' } })).toEqual({ effort: 'max' })
    expect(reasoning({ reasoning: { enabled: false } })).toEqual({ effort: 'none' })
    expect(reasoning({ reasoning: { enabled: true, adaptive: true } })).toBeUndefined()
    expect(encodeTurn({ model: 'gpt-4o', reasoning: { effort: 'high' } })).toMatchObject({ paths: ['reasoning'] })
  })

  test('says what it could not ask for', () => {
    const lost = { topK: 5, seed: 1, stop: ['x'], n: 2, presencePenalty: 1, temperature: 0.5, maxOutputTokens: 1 }
    expect(encodeTurn({ ...lost, model: 'o3' }).paths).toEqual([
      'max_tokens',
      'temperature',
      'n',
      'stop',
      'seed',
      'top_k',
      'presence_penalty',
    ])
    expect(encodeTurn(lost).body).toMatchObject({ max_output_tokens: 16, temperature: 0.5 })
    expect(encodeTurn({ ...lost, ext: { gemini: { safetySettings: [{}] } } }).paths).toEqual([
      'safetySettings',
      'max_tokens',
      'n',
      'stop',
      'seed',
      'top_k',
      'presence_penalty',
    ])
    expect(
      encodeTurn({
        system: [
          { type: 'text', text: 'a', cache: {} },
          { type: 'text', text: 'b' },
        ],
      }),
    ).toMatchObject({
      body: { instructions: 'a\n\nb' },
      paths: ['system[0].cache_control'],
    })
  })

  test('keeps schema, verbosity, metadata, tier, cache key and log probabilities', () => {
    expect(
      encodeTurn({
        output: { type: 'json_schema', schema: { type: 'object' } },
        verbosity: 'low',
        metadata: { a: 'b', c: 1 },
        serviceTier: 'standard_only',
        cacheKey: 'k',
        logprobs: true,
        topLogprobs: 3,
        user: 'u',
        maxOutputTokens: 100,
        temperature: 0.5,
        toolChoice: { type: 'auto' },
      }),
    ).toMatchObject({
      body: {
        text: { format: { type: 'json_schema', name: 'answer', schema: { type: 'object' } }, verbosity: 'low' },
        metadata: { a: 'b' },
        service_tier: 'default',
        prompt_cache_key: 'k',
        include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
        top_logprobs: 3,
        user: 'u',
        max_output_tokens: 100,
        temperature: 0.5,
      },
      paths: ['metadata.c'],
    })
  })
})
