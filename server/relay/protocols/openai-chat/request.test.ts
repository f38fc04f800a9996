import { describe, expect, test } from 'bun:test'
import { WireError } from '../protocol.ts'
import { openaiChat } from './index.ts'
import { encode, ours, says } from './test-kit.ts'

const TOOL = { type: 'function', name: 'ls', schema: { type: 'object', properties: {} } } as const

describe('a request of this protocol', () => {
  for (const name of ['request-everything.json', 'request-vendor.json']) {
    test(`comes back as it was, with nothing lost: ${name}`, () => {
      const body = ours(name)
      const { body: written, losses } = openaiChat.encodeRequest(openaiChat.decodeRequest(body, {}))
      expect(losses).toEqual([])
      expect(written).toEqual(body)
    })
  }

  test('is read into canonical words', () => {
    const turn = openaiChat.decodeRequest(ours('request-everything.json'), {})
    expect(turn).toMatchObject({
      model: 'gpt-5.1',
      stream: true,
      maxOutputTokens: 4096,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      seed: 7,
      stop: ['END'],
      n: 2,
      reasoning: { effort: 'high', enabled: true },
      cacheKey: 'talk-7',
      user: 'ann',
      modalities: ['text', 'audio'],
      serviceTier: 'flex',
      output: { type: 'json_schema', name: 'answer', strict: true },
      toolChoice: { type: 'allowed', mode: 'required', names: ['look', 'run'] },
    })
    expect(turn.system.map((block) => block.type === 'text' && block.text)).toEqual(['Be brief.', 'You are a pirate.'])
    expect(turn.messages.map((message) => message.role)).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
      'system',
      'assistant',
      'assistant',
      'assistant',
      'user',
      'user',
    ])
    expect(turn.messages[2]?.content.map((block) => block.type === 'result' && block.callId)).toEqual(['call_1', 'call_2', 'call_3'])
    expect(turn.messages[0]?.content[2]).toMatchObject({ type: 'media', mediaType: 'image/png', data: { base64: 'iVBORw0KGgo=' } })
    expect(turn.messages[0]?.content[8]).toEqual({
      type: 'foreign',
      from: 'openai-chat',
      data: { type: 'hologram', hologram: { depth: 3 } },
    })
    expect(turn.tools[1]).toMatchObject({
      type: 'custom',
      name: 'run',
      format: { type: 'grammar', syntax: 'lark', definition: 'start: /.+/' },
    })
  })

  test('a stream is always asked for its usage, other stream options stay', () => {
    const body = { model: 'm', messages: [], stream: true, stream_options: { include_usage: false, include_obfuscation: false } }
    expect(openaiChat.encodeRequest(openaiChat.decodeRequest(body, {})).body.stream_options).toEqual({
      include_usage: true,
      include_obfuscation: false,
    })
  })

  test('a cap changed by the gateway is the one that is sent', () => {
    const turn = openaiChat.decodeRequest({ model: 'm', messages: [], max_tokens: 100 }, {})
    expect(openaiChat.encodeRequest({ ...turn, maxOutputTokens: 50 }).body).toEqual({ model: 'm', messages: [], max_tokens: 50 })
  })

  test('is refused only where it cannot be understood', () => {
    for (const body of [
      { messages: [] },
      { model: 'm' },
      { model: 'm', messages: 'x' },
      { model: 'm', messages: [1] },
      { model: 'm', messages: [{ role: 'user', content: 5 }] },
    ]) {
      expect(() => openaiChat.decodeRequest(body, {})).toThrow(WireError)
    }
    expect(() =>
      openaiChat.decodeRequest({ model: 'm', messages: [{ content: 'x' }], tools: 5, stop: 5, n: 'x', tool_choice: 7 }, {}),
    ).not.toThrow()
  })
})

describe('a request of another protocol', () => {
  test('becomes plain text messages wherever only text is said, which every vendor takes', () => {
    const { body, paths } = encode({
      system: [
        { type: 'text', text: 'A' },
        { type: 'text', text: 'B' },
      ],
      messages: [
        says('user', { type: 'text', text: 'one' }, { type: 'text', text: 'two' }),
        says('assistant', { type: 'text', text: 'x' }, { type: 'text', text: 'y' }),
        says('developer', { type: 'text', text: 'psst' }),
      ],
    })
    expect(body.messages).toEqual([
      { role: 'system', content: 'A\n\nB' },
      { role: 'user', content: 'one\n\ntwo' },
      { role: 'assistant', content: 'xy' },
      { role: 'system', content: 'psst' },
    ])
    expect(paths).toEqual([])
  })

  test('results become tool messages, their pictures are shown in the user message after them', () => {
    const { body, paths } = encode({
      messages: [
        says('assistant', { type: 'call', id: 'a', name: 'ls', input: '{}' }, { type: 'call', id: 'b', name: 'ls', input: '{"x":1}' }),
        says(
          'user',
          {
            type: 'result',
            callId: 'a',
            isError: false,
            content: [
              { type: 'text', text: 'see' },
              { type: 'media', mediaType: 'image/png', data: { base64: 'AA' } },
            ],
          },
          { type: 'result', callId: 'b', isError: true, content: [{ type: 'text', text: 'no' }] },
          { type: 'text', text: 'go on' },
        ),
      ],
      tools: [TOOL],
    })
    expect(body.messages).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'ls', arguments: '{}' } },
          { id: 'b', type: 'function', function: { name: 'ls', arguments: '{"x":1}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: 'see' },
      { role: 'tool', tool_call_id: 'b', content: 'no' },
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } },
          { type: 'text', text: 'go on' },
        ],
      },
    ])
    expect(paths).toEqual(['messages[1].content[1].is_error'])
  })

  test('media takes the form this API has for it', () => {
    const { body, paths } = encode({
      messages: [
        says(
          'user',
          { type: 'media', mediaType: 'image/*', data: { url: 'https://x/y.png' }, detail: 'high' },
          { type: 'media', mediaType: 'audio/mpeg', data: { base64: 'BB' } },
          { type: 'media', mediaType: 'application/pdf', data: { base64: 'CC' } },
          { type: 'media', mediaType: 'text/plain', data: { base64: Buffer.from('words').toString('base64') }, name: 'a.txt' },
          { type: 'media', mediaType: 'application/pdf', data: { url: 'https://x/y.pdf' } },
          { type: 'media', mediaType: 'image/*', data: { fileId: 'file_1' } },
        ),
      ],
    })
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'https://x/y.png', detail: 'high' } },
          { type: 'input_audio', input_audio: { data: 'BB', format: 'mp3' } },
          { type: 'file', file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,CC' } },
          { type: 'text', text: 'a.txt:\nwords' },
        ],
      },
    ])
    expect(paths).toEqual(['messages[0].content[4]', 'messages[0].content[5]'])
  })

  test('a message whose blocks were all lost leaves no empty one behind', () => {
    const { body, paths } = encode({
      messages: [
        says('user', { type: 'media', mediaType: '*/*', data: { url: 'https://video.example/watch?v=1' } }),
        says(
          'assistant',
          { type: 'reasoning', text: 't', seal: { by: 'claude', value: 's' } },
          { type: 'foreign', from: 'claude', data: { type: 'x' } },
        ),
        says('user', { type: 'text', text: 'Hi' }),
      ],
    })
    expect(body.messages).toEqual([{ role: 'user', content: 'Hi' }])
    expect(paths).toEqual(['messages[0].content[0]', 'messages[1].content[0]', 'messages[1].content[1]'])
  })

  test('a cap is told by the name the model knows', () => {
    expect(encode({ maxOutputTokens: 9 }).body.max_completion_tokens).toBe(9)
    expect(encode({ maxOutputTokens: 9, model: 'openai/o3-mini' }).body.max_completion_tokens).toBe(9)
    expect(encode({ maxOutputTokens: 9, model: 'deepseek-chat' }).body.max_tokens).toBe(9)
    expect(encode({ maxOutputTokens: 9, model: 'gpt-4o' }).body.max_tokens).toBe(9)
  })

  test('effort is told from effort or budget, and not to a model that never thinks', () => {
    const effort = (reasoning: object, model = 'gpt-5.1') => encode({ reasoning, model })
    expect(effort({ effort: 'max' }).body.reasoning_effort).toBe('xhigh')
    expect(effort({ enabled: true, budgetTokens: 1024 }).body.reasoning_effort).toBe('low')
    expect(effort({ enabled: true, budgetTokens: 10_000 }).body.reasoning_effort).toBe('medium')
    expect(effort({ enabled: true, budgetTokens: 32_000 }).body.reasoning_effort).toBe('xhigh')
    expect(effort({ enabled: false }).body.reasoning_effort).toBe('none')
    expect(effort({ adaptive: true, enabled: true }).body.reasoning_effort).toBeUndefined()
    expect(effort({ enabled: true, budgetTokens: 9000 }, 'gpt-4o')).toMatchObject({ body: {}, paths: ['reasoning'] })
    expect(effort({ enabled: false }, 'gpt-4o').paths).toEqual([])
  })

  test('tool choice and parallel calls are told only beside tools', () => {
    expect(encode({ toolChoice: { type: 'auto' }, parallelToolCalls: false }).body).toEqual({
      model: 'gpt-5.1',
      messages: [{ role: 'user', content: 'Hi' }],
    })
    const { body } = encode({ toolChoice: { type: 'tool', name: 'ls' }, parallelToolCalls: false, tools: [TOOL] })
    expect(body.tool_choice).toEqual({ type: 'function', function: { name: 'ls' } })
    expect(body.parallel_tool_calls).toBe(false)
    expect(encode({ toolChoice: { type: 'allowed', mode: 'auto', names: ['ls'] }, tools: [TOOL] }).body.tool_choice).toEqual({
      type: 'allowed_tools',
      allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'ls' } }] },
    })
  })

  test('formats are told', () => {
    expect(encode({ output: { type: 'json' } }).body.response_format).toEqual({ type: 'json_object' })
    expect(encode({ output: { type: 'json_schema', schema: { type: 'object' }, strict: true } }).body.response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'response', schema: { type: 'object' }, strict: true },
    })
  })

  test('what cannot be carried is lost, and nothing else is', () => {
    const { paths } = encode({
      ext: { claude: { container: 'c', _list: true, empty: {} } },
      system: [{ type: 'text', text: 'A', cache: {} }],
      messages: [
        says('user', { type: 'text', text: 'x', cache: { ttl: '1h' }, ext: { claude: { citations: [1] } } }),
        says(
          'assistant',
          { type: 'reasoning', text: 't', seal: { by: 'claude', value: 's' } },
          { type: 'reasoning', text: 'u' },
          { type: 'call', id: 'a', name: 'ls', input: '{}', seal: { by: 'gemini', value: 's' } },
          { type: 'foreign', from: 'claude', data: { type: 'server_tool_use' } },
        ),
      ],
      tools: [
        { ...TOOL, cache: {} },
        { type: 'foreign', from: 'claude', data: { type: 'web_search_20250305', name: 'web_search' } },
      ],
      topK: 5,
      stop: ['1', '2', '3', '4', '5'],
      metadata: { a: 'b' },
      store: true,
      serviceTier: 'standard_only',
    })
    expect(paths.toSorted()).toEqual(
      [
        'container',
        'messages[0].content[0].cache_control',
        'messages[0].content[0].citations',
        'messages[1].content[0]',
        'messages[1].content[1]',
        'messages[1].content[2].signature',
        'messages[1].content[3]',
        'metadata',
        'service_tier',
        'stop',
        'store',
        'system[0].cache_control',
        'tools[0].cache_control',
        'tools[1]',
        'top_k',
      ].toSorted(),
    )
  })
})
