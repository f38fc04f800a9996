// long file: one promise after another about the same thing, read as a list
import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import type { Block, Message, Turn } from '../canonical.ts'
import { fromWireName, toWireName } from './names.ts'
import { encode, TOOL, user } from './test-kit.ts'

describe('a request of another protocol', () => {
  test('gets the default cap when it has none, which is no loss', () => {
    expect(encode({})).toEqual({
      body: { model: 'claude-opus-5', max_tokens: 8192, messages: [{ role: 'user', content: 'Hi' }] },
      paths: [],
    })
  })

  test('keeps its own cap, streams when asked, and takes what Claude has a name for', () => {
    const { body, paths } = encode({ maxOutputTokens: 0, stream: true, user: 'u1', serviceTier: 'default', topK: 5, stop: ['END'] })
    expect(body).toMatchObject({
      max_tokens: 0,
      stream: true,
      metadata: { user_id: 'u1' },
      service_tier: 'standard_only',
      top_k: 5,
      stop_sequences: ['END'],
    })
    expect(paths).toEqual([])
  })

  test('loses by name what Claude has no parameter for, and only what was really asked', () => {
    const asked = {
      n: 2,
      seed: 1,
      presencePenalty: 0.5,
      frequencyPenalty: 0.1,
      logprobs: true,
      topLogprobs: 2,
      logitBias: { 5: 1 },
      verbosity: 'low',
      modalities: ['text', 'audio'],
      cacheKey: 'k',
      store: true,
      serviceTier: 'flex',
      metadata: { team: 'a' },
      output: { type: 'json' },
      ext: { 'openai-chat': { prediction: { type: 'content' }, _list: true } },
    } satisfies Partial<Turn>
    expect(encode(asked).paths.toSorted()).toEqual([
      'frequency_penalty',
      'logit_bias',
      'logprobs',
      'metadata.team',
      'modalities',
      'n',
      'prediction',
      'presence_penalty',
      'prompt_cache_key',
      'response_format',
      'seed',
      'service_tier',
      'store',
      'top_logprobs',
      'verbosity',
    ])
    const idle = {
      n: 1,
      presencePenalty: 0,
      logprobs: false,
      logitBias: {},
      modalities: ['text'],
      store: false,
      topP: 1,
      output: { type: 'text' },
    }
    expect(encode(idle as Partial<Turn>).paths).toEqual([])
  })

  test('has its losses named in canonical words', () => {
    const asked: Partial<Turn> = {
      n: 2,
      topP: 0.5,
      temperature: 0.5,
      messages: [{ role: 'user', content: [{ type: 'media', mediaType: 'audio/wav', data: { base64: '' } }] }],
    }
    expect(encode({ ...asked, ext: { gemini: {} } }).paths).toEqual(['messages[0].content[0]', 'top_p', 'n'])
  })

  test('takes text output for granted and never asks for temperature above 1 or together with top_p', () => {
    expect(encode({ temperature: 1.4 })).toMatchObject({ body: { temperature: 1 }, paths: ['temperature'] })
    expect(encode({ temperature: 0.5, topP: 0.8 })).toMatchObject({ body: { temperature: 0.5 }, paths: ['top_p'] })
    expect(encode({ temperature: 1, topP: 0.8 }).body).toMatchObject({ top_p: 0.8 })
    expect(encode({ temperature: 1, topP: 0.8 }).body.temperature).toBeUndefined()
  })
})

describe('the talk', () => {
  const call: Block = { type: 'call', id: 'functions.ls:0', name: 'fs.ls', input: '{"path":"."}' }
  const result: Block = { type: 'result', callId: 'functions.ls:0', isError: false, content: [{ type: 'text', text: 'a.ts' }] }

  test('joins messages of one side and puts results first after their calls', () => {
    const messages: Message[] = [
      user('List'),
      user('please'),
      { role: 'assistant', content: [{ type: 'text', text: '' }, call] },
      { role: 'assistant', content: [{ ...call, id: 'b', input: '' }] },
      user('wait'),
      { role: 'user', content: [result] },
      { role: 'user', content: [{ ...result, callId: 'b', isError: true }] },
    ]
    const { body, paths } = encode({ messages })
    expect(paths).toEqual([])
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'List' },
          { type: 'text', text: 'please' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'tg_functions_x2e_ls_x3a_0', name: 'tg_fs_x2e_ls', input: { path: '.' } },
          { type: 'tool_use', id: 'b', name: 'tg_fs_x2e_ls', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'tg_functions_x2e_ls_x3a_0', content: 'a.ts' },
          { type: 'tool_result', tool_use_id: 'b', content: 'a.ts', is_error: true },
          { type: 'text', text: 'wait' },
        ],
      },
    ])
  })

  test("puts system messages at the head into the prompt and one in the middle at its place as the user's text, with a loss", () => {
    const { body, paths } = encode({
      system: [{ type: 'text', text: 'A' }],
      messages: [
        { role: 'developer', content: [{ type: 'text', text: 'B' }] },
        user('Hi'),
        { role: 'system', content: [{ type: 'text', text: 'C' }] },
      ],
    })
    expect(body.system).toEqual([
      { type: 'text', text: 'A' },
      { type: 'text', text: 'B' },
    ])
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hi' },
          { type: 'text', text: 'C' },
        ],
      },
    ])
    expect(paths).toEqual(['messages[2]'])
  })

  test('sends a result without its call as text, arguments that are no object as a member, and says so', () => {
    const messages: Message[] = [
      { role: 'user', content: [result] },
      { role: 'assistant', content: [{ ...call, input: '[1' }] },
    ]
    const { body, paths } = encode({ messages })
    expect(body.messages).toMatchObject([{ role: 'user', content: 'a.ts' }, { content: [{ input: { input: '[1' } }] }])
    expect(paths).toEqual(['messages[0].content[0]', 'messages[1].content[0].input'])
  })

  test("sends images, PDFs and texts in Claude's own forms and loses sound, other files and other makers' file ids", () => {
    const media = (mediaType: string, data: { base64: string } | { url: string } | { fileId: string }, name?: string) =>
      ({ type: 'media', mediaType, data, ...(name ? { name } : {}) }) as const
    const { body, paths } = encode({
      messages: [
        {
          role: 'user',
          content: [
            media('image/jpg', { base64: 'AA==' }),
            media('image/*', { url: 'https://x.test/a' }),
            media('application/pdf', { base64: 'AA==' }, 'a.pdf'),
            media('application/pdf', { url: 'https://x.test/a.pdf' }),
            media('text/csv', { base64: btoa('a,b') }),
            media('audio/wav', { base64: 'AA==' }),
            media('application/zip', { base64: 'AA==' }),
            media('image/png', { fileId: 'file-1' }),
            { ...media('image/png', { base64: 'AA==' }), detail: 'high' },
          ],
        },
      ],
    })
    expect((body.messages as JsonObject[])[0]?.content).toEqual([
      { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'AA==' } },
      { type: 'image', source: { type: 'url', url: 'https://x.test/a' } },
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AA==' }, title: 'a.pdf' },
      { type: 'document', source: { type: 'url', url: 'https://x.test/a.pdf' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a,b' } },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
    ])
    expect(paths).toEqual([5, 6, 7].map((index) => `messages[0].content[${index}]`).concat('messages[0].content[8].detail'))
  })

  test('gives Claude back the thoughts it signed and strips those of others with a loss', () => {
    const { body, paths } = encode({
      messages: [
        user('Hi'),
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: 'mine', seal: { by: 'claude', value: 'sig' } },
            { type: 'reasoning', text: 'its', seal: { by: 'gemini', value: 'x' } },
            { type: 'reasoning', text: "nobody's" },
            { type: 'foreign', from: 'openai-responses', data: { type: 'item' } },
            { type: 'text', text: 'Hello' },
          ],
        },
      ],
    })
    expect((body.messages as JsonObject[])[1]?.content).toEqual([
      { type: 'thinking', thinking: 'mine', signature: 'sig' },
      { type: 'text', text: 'Hello' },
    ])
    expect(paths).toEqual([1, 2, 3].map((index) => `messages[1].content[${index}]`))
  })
})

describe('tools', () => {
  test('are kept in order; a free-form tool takes its text as the member "input"', () => {
    const { body, paths } = encode({
      tools: [
        TOOL,
        { type: 'custom', name: 'patch', description: 'Edits', format: { type: 'grammar', syntax: 'lark', definition: 'start: x' } },
        { type: 'foreign', from: 'openai-responses', data: { type: 'web_search' } },
        { type: 'function', name: 'now', strict: false },
      ],
    })
    expect((body.tools as JsonObject[]).map((tool) => tool.name)).toEqual(['ls', 'patch', 'now'])
    expect((body.tools as JsonObject[])[1]?.description).toBe('Edits\n\nThe input must have this format: start: x')
    expect((body.tools as JsonObject[])[2]).toEqual({ name: 'now', input_schema: { type: 'object', properties: {} } })
    expect(paths).toEqual(['tools[1].format', 'tools[2]'])
  })

  const choices: [string, Partial<Turn>, JsonObject | undefined][] = [
    ['required', { toolChoice: { type: 'required' } }, { type: 'any' }],
    ['named', { toolChoice: { type: 'tool', name: 'ls' } }, { type: 'tool', name: 'ls' }],
    ['none', { toolChoice: { type: 'none' } }, { type: 'none' }],
    ['one at a time', { parallelToolCalls: false }, { type: 'auto', disable_parallel_tool_use: true }],
    ['side by side, the default', { parallelToolCalls: true }, undefined],
    ['an allowed set', { toolChoice: { type: 'allowed', mode: 'required', names: ['ls'] } }, { type: 'any' }],
  ]
  for (const [name, members, expected] of choices) {
    test(`choice: ${name}`, () => {
      const { body, paths } = encode({ tools: [TOOL], ...members })
      expect(body.tool_choice).toEqual(expected)
      expect(paths).toEqual([])
    })
  }

  test('outside an allowed set are not offered, and a choice without tools is not sent', () => {
    const { body } = encode({ tools: [TOOL, { ...TOOL, name: 'rm' }], toolChoice: { type: 'allowed', mode: 'auto', names: ['ls'] } })
    expect((body.tools as JsonObject[]).map((tool) => tool.name)).toEqual(['ls'])
    expect(encode({ toolChoice: { type: 'required' } }).body.tool_choice).toBeUndefined()
  })

  test('names and ids of any letters come back from what Claude takes', () => {
    for (const name of [
      'ls',
      'a.b',
      'functions.get:0',
      'tg_',
      'tg_x',
      '_x2e_',
      'é世\u{1f600}',
      'a_x2e_b.c',
      'tg_a_x2e_b',
      'tg_a.b',
      'x'.repeat(100),
    ]) {
      expect(fromWireName(toWireName(name))).toBe(name)
      expect(toWireName(name)).toMatch(/^[a-zA-Z0-9_-]+$/)
    }
    for (const wire of ['tg_send', 'tg__x2e_', 'toolu_01', 'tg_']) expect(toWireName(fromWireName(wire))).toBe(wire)
    for (const plain of ['tg_send', 'toolu_01', 'a_x2e_b']) expect(toWireName(plain)).toBe(plain)
  })

  test('a JSON schema is closed as Claude wants it; only what was said to be open is lost', () => {
    const schema = { type: 'object', properties: { a: { type: 'object', properties: {} }, type: { type: 'string' } } }
    const closed = {
      type: 'object',
      properties: { a: { type: 'object', properties: {}, additionalProperties: false }, type: { type: 'string' } },
      additionalProperties: false,
    }
    expect(encode({ output: { type: 'json_schema', name: 'x', schema } })).toMatchObject({
      body: { output_config: { format: { type: 'json_schema', schema: closed } } },
      paths: [],
    })
    expect(encode({ output: { type: 'json_schema', schema: { ...schema, additionalProperties: true } } }).paths).toEqual([
      'response_format.schema',
    ])
  })
})
