// long file: one promise after another about the same thing, read as a list
import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import { gemini } from './index.ts'
import { NO_SIGNATURE } from './request-encode.ts'
import { says, turn } from './test-kit.ts'

function paths(losses: { path: string }[]): string[] {
  return losses.map((loss) => loss.path)
}

describe('requests of other protocols', () => {
  test('settings go where Gemini has them, what has no place is lost', () => {
    const { body, losses } = gemini.encodeRequest(
      turn({
        system: [{ type: 'text', text: 'Be brief.', cache: {} }],
        messages: [says('user', { type: 'text', text: 'hi' })],
        maxOutputTokens: 9,
        temperature: 0.1,
        topP: 0.2,
        topK: 3,
        seed: 4,
        stop: ['x'],
        n: 2,
        presencePenalty: 0.5,
        frequencyPenalty: 0.6,
        logprobs: true,
        topLogprobs: 5,
        modalities: ['text', 'audio'],
        output: { type: 'json_schema', name: 'n', schema: { type: 'object', oneOf: [] } },
        user: 'u',
        cacheKey: 'k',
        metadata: { a: 'b' },
        store: true,
        parallelToolCalls: false,
        verbosity: 'low',
        logitBias: { 5: 1 },
        serviceTier: 'priority',
        ext: { claude: { container: 'c', _way: 1 } },
      }),
    )
    expect(body).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      serviceTier: 'priority',
      generationConfig: {
        maxOutputTokens: 9,
        temperature: 0.1,
        topP: 0.2,
        topK: 3,
        seed: 4,
        stopSequences: ['x'],
        candidateCount: 2,
        presencePenalty: 0.5,
        frequencyPenalty: 0.6,
        responseLogprobs: true,
        logprobs: 5,
        responseModalities: ['TEXT', 'AUDIO'],
        responseMimeType: 'application/json',
        responseJsonSchema: { type: 'object', oneOf: [] },
      },
    })
    expect(paths(losses).sort()).toEqual([
      'container',
      'logit_bias',
      'metadata',
      'parallel_tool_calls',
      'prompt_cache_key',
      'store',
      'system[0].cache_control',
      'user',
      'verbosity',
    ])
  })

  test('parallel calls are one content, their answers another, each with the name of its function', () => {
    const { body, losses } = gemini.encodeRequest(
      turn({
        messages: [
          says('user', { type: 'text', text: 'go' }),
          says('assistant', { type: 'call', id: 'c1', name: 'a', input: '{"x":1}' }),
          says('assistant', { type: 'call', id: 'c2', name: 'b', input: '{"free":1}', custom: true }),
          says('user', { type: 'result', callId: 'c1', isError: false, content: [{ type: 'text', text: 'one' }] }),
          says('user', {
            type: 'result',
            callId: 'c2',
            isError: true,
            content: [
              { type: 'text', text: 'two' },
              { type: 'media', mediaType: 'image/png', data: { base64: 'AA==' } },
            ],
          }),
        ],
      }),
    )
    expect(losses).toEqual([])
    expect(body.contents).toEqual([
      { role: 'user', parts: [{ text: 'go' }] },
      {
        role: 'model',
        parts: [
          { functionCall: { name: 'a', id: 'c1', args: { x: 1 } }, thoughtSignature: NO_SIGNATURE },
          { functionCall: { name: 'b', id: 'c2', args: { input: '{"free":1}' } }, thoughtSignature: NO_SIGNATURE },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'a', id: 'c1', response: { output: 'one' } } },
          {
            functionResponse: {
              name: 'b',
              id: 'c2',
              response: { error: 'two' },
              parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }],
            },
          },
        ],
      },
    ])
  })

  test('models before Gemini 3 get no signature, and media of a tool beside its answer', () => {
    const { body } = gemini.encodeRequest(
      turn({
        model: 'gemini-2.5-pro',
        messages: [
          says('assistant', { type: 'call', id: 'c1', name: 'a', input: '' }),
          says(
            'user',
            {
              type: 'result',
              callId: 'c1',
              isError: false,
              content: [{ type: 'media', mediaType: 'image/png', data: { base64: 'AA==' } }],
            },
            { type: 'text', text: 'and?' },
          ),
        ],
      }),
    )
    expect(body.contents).toEqual([
      { role: 'model', parts: [{ functionCall: { name: 'a', id: 'c1', args: {} } }] },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'a', id: 'c1', response: { output: '' } } },
          { text: 'and?' },
          { inlineData: { mimeType: 'image/png', data: 'AA==' } },
        ],
      },
    ])
  })

  test('seals go back to Google raw; those of others are stripped and told', () => {
    const { body, losses } = gemini.encodeRequest(
      turn({
        messages: [
          says(
            'assistant',
            { type: 'reasoning', text: 'mine', seal: { by: 'gemini', value: 'g1' } },
            { type: 'reasoning', text: 'theirs', seal: { by: 'claude', value: 'c' } },
            { type: 'reasoning', text: '', redacted: true, seal: { by: 'claude', value: 'c' } },
            { type: 'text', text: 'so' },
            { type: 'reasoning', text: '', seal: { by: 'gemini', value: 'g2' } },
            { type: 'call', id: 'c', name: 'f', input: '{}', seal: { by: 'gemini', value: 'g3' } },
          ),
        ],
      }),
    )
    expect((body.contents as JsonObject[])[0]?.parts).toEqual([
      { text: 'mine', thought: true, thoughtSignature: 'g1' },
      { text: 'theirs', thought: true },
      { text: 'so', thoughtSignature: 'g2' },
      { functionCall: { name: 'f', id: 'c', args: {} }, thoughtSignature: 'g3' },
    ])
    expect(paths(losses)).toEqual(['messages[0].content[1].signature', 'messages[0].content[2].signature'])
  })

  test('media in every form; files kept elsewhere are a loss', () => {
    const { body, losses } = gemini.encodeRequest(
      turn({
        messages: [
          says(
            'user',
            { type: 'media', mediaType: 'application/pdf', data: { base64: 'JVBE' } },
            { type: 'media', mediaType: 'image/*', data: { url: 'https://e.com/a.png?x=1' } },
            { type: 'media', mediaType: 'image/*', data: { url: 'data:image/gif;base64,R0lG' } },
            { type: 'media', mediaType: 'application/pdf', data: { fileId: 'file-1' } },
            { type: 'foreign', from: 'claude', data: {} },
            { type: 'refusal', text: 'no' },
          ),
        ],
      }),
    )
    expect((body.contents as JsonObject[])[0]?.parts).toEqual([
      { inlineData: { mimeType: 'application/pdf', data: 'JVBE' } },
      { fileData: { mimeType: 'image/png', fileUri: 'https://e.com/a.png?x=1' } },
      { inlineData: { mimeType: 'image/gif', data: 'R0lG' } },
      { text: 'no' },
    ])
    expect(paths(losses)).toEqual(['messages[0].content[3]', 'messages[0].content[4]'])
  })

  test("leading system messages join the instruction; later ones are the user's, and told", () => {
    const { body, losses } = gemini.encodeRequest(
      turn({
        system: [{ type: 'text', text: 'a' }],
        messages: [
          says('developer', { type: 'text', text: 'b' }),
          says('user', { type: 'text', text: 'c' }),
          says('system', { type: 'text', text: 'd' }),
        ],
      }),
    )
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'a' }, { text: 'b' }] },
      contents: [
        { role: 'user', parts: [{ text: 'c' }] },
        { role: 'user', parts: [{ text: 'd' }] },
      ],
    })
    expect(paths(losses)).toEqual(['messages[2].role'])
  })

  test('tools keep their order and schema; custom tools are told their grammar', () => {
    const schema = { $schema: 'x', type: 'object', properties: { a: { oneOf: [{ type: 'string', pattern: 'p' }] } } }
    const { body, losses } = gemini.encodeRequest(
      turn({
        tools: [
          { type: 'function', name: 'z', schema, strict: true, cache: {} },
          { type: 'custom', name: 'patch', description: 'Edits', format: { type: 'grammar', syntax: 'lark', definition: 'start: x' } },
          { type: 'foreign', from: 'claude', data: { type: 'web_search_20250305' } },
          { type: 'function', name: 'a' },
        ],
      }),
    )
    expect(body.tools).toEqual([
      {
        functionDeclarations: [
          { name: 'z', parametersJsonSchema: schema },
          {
            name: 'patch',
            description: 'Edits\n\nThe input must follow this grammar:\nstart: x',
            parametersJsonSchema: { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] },
          },
          { name: 'a' },
        ],
      },
    ])
    expect(body.toolConfig).toEqual({ functionCallingConfig: { mode: 'VALIDATED' } })
    expect(paths(losses)).toEqual(['tools[0].cache_control', 'tools[1].format', 'tools[2]'])
  })

  test('every tool choice has its mode', () => {
    const mode = (toolChoice: NonNullable<ReturnType<typeof turn>['toolChoice']>): unknown =>
      gemini.encodeRequest(turn({ toolChoice })).body.toolConfig
    expect(mode({ type: 'auto' })).toEqual({ functionCallingConfig: { mode: 'AUTO' } })
    const strict = turn({ toolChoice: { type: 'auto' }, tools: [{ type: 'function', name: 'a', strict: true }] })
    expect(gemini.encodeRequest(strict).body.toolConfig).toEqual({ functionCallingConfig: { mode: 'VALIDATED' } })
    expect(mode({ type: 'none' })).toEqual({ functionCallingConfig: { mode: 'NONE' } })
    expect(mode({ type: 'required' })).toEqual({ functionCallingConfig: { mode: 'ANY' } })
    expect(mode({ type: 'tool', name: 'a' })).toEqual({ functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['a'] } })
    expect(mode({ type: 'allowed', mode: 'auto', names: ['a', 'b'] })).toEqual({
      functionCallingConfig: { mode: 'VALIDATED', allowedFunctionNames: ['a', 'b'] },
    })
  })

  test('thinking is a level from Gemini 3 on, a budget before', () => {
    const thinking = (model: string, reasoning: object): unknown =>
      (gemini.encodeRequest(turn({ model, reasoning })).body.generationConfig as JsonObject | undefined)?.thinkingConfig
    expect(thinking('gemini-3-flash', { effort: 'medium' })).toEqual({ thinkingLevel: 'MEDIUM' })
    expect(thinking('gemini-3-pro-preview', { effort: 'medium', summary: 'auto' })).toEqual({
      thinkingLevel: 'HIGH',
      includeThoughts: true,
    })
    expect(thinking('gemini-3.1-pro', { effort: 'minimal' })).toEqual({ thinkingLevel: 'LOW' })
    expect(thinking('gemini-flash-latest', { enabled: true, budgetTokens: 4000 })).toEqual({
      thinkingLevel: 'MEDIUM',
      includeThoughts: true,
    })
    expect(thinking('gemini-3-flash', { enabled: false })).toEqual({ thinkingLevel: 'MINIMAL' })
    expect(thinking('gemini-2.5-flash', { enabled: true, budgetTokens: 31_999 })).toEqual({ thinkingBudget: 24_576, includeThoughts: true })
    expect(thinking('gemini-2.5-pro', { effort: 'high' })).toEqual({ thinkingBudget: 24_576 })
    expect(thinking('gemini-2.5-flash', { effort: 'none' })).toEqual({ thinkingBudget: 0 })
    expect(thinking('gemini-2.5-flash', { adaptive: true })).toEqual({ thinkingBudget: -1 })
  })

  test('a model that reads no JSON Schema gets the OpenAPI subset, and what it lacks is told', () => {
    const { body, losses } = gemini.encodeRequest(
      turn({
        model: 'gemini-2.0-flash',
        tools: [
          {
            type: 'function',
            name: 'a',
            schema: {
              type: 'object',
              additionalProperties: false,
              $defs: { n: { type: ['integer', 'null'], exclusiveMinimum: 0 } },
              properties: {
                n: { $ref: '#/$defs/n' },
                k: { const: 'x' },
                f: { const: 1 },
                u: { oneOf: [{ type: 'string' }, { type: 'number' }] },
              },
            },
          },
        ],
      }),
    )
    expect(body.tools).toEqual([
      {
        functionDeclarations: [
          {
            name: 'a',
            parameters: {
              type: 'OBJECT',
              properties: {
                n: { type: 'INTEGER', nullable: true },
                k: { enum: ['x'] },
                f: {},
                u: { anyOf: [{ type: 'STRING' }, { type: 'NUMBER' }] },
              },
            },
          },
        ],
      },
    ])
    expect(paths(losses)).toEqual(['tools[0].parameters.exclusiveMinimum', 'tools[0].parameters.const'])
  })
})
