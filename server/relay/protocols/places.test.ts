import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../contract/json.ts'
import { protocols } from './index.ts'
import { inClientWords } from './places.ts'

/** Paths of what a request loses on another protocol, as its client reads them. */
function lost(by: keyof typeof protocols, to: keyof typeof protocols, body: JsonObject): string[] {
  const { decodeRequest, words } = protocols[by]
  const turn = decodeRequest({ model: 'm', ...body }, { model: 'm', action: 'generateContent' })
  const { losses } = protocols[to].encodeRequest(turn)
  return inClientWords(losses, turn, words).map(({ path }) => path)
}

const picture = { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'high' } }

describe('a loss names the place in the body that the client sent', () => {
  test('Chat: behind system messages, in results that became one message, in and in calls', () => {
    const messages = [
      { role: 'system', content: 'a' },
      { role: 'developer', content: [{ type: 'text', text: 'b', cache_control: { type: 'ephemeral' } }] },
      { role: 'user', name: 'ada', content: [{ type: 'text', text: 'x' }, picture] },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: 'no json' }, odd: 1 }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'one' },
      { role: 'tool', tool_call_id: 'c2', content: 'two', odd: 1 },
    ]
    expect(lost('openai-chat', 'gemini', { messages }).toSorted()).toEqual([
      'messages[1].content[0].cache_control',
      'messages[2].content[1].image_url.detail',
      'messages[2].name',
      'messages[3].tool_calls[0].odd',
      'messages[5].odd',
    ])
    expect(lost('openai-chat', 'claude', { messages })).toContain('messages[3].tool_calls[0].function.arguments')
  })

  test('Responses: items that became one message, tools in namespaces and in items', () => {
    const input = [
      { type: 'additional_tools', tools: [{ type: 'custom', name: 'exec', format: { type: 'grammar' } }] },
      { role: 'developer', content: [{ type: 'input_text', text: 'a' }] },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'b' },
          { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' },
        ],
      },
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 't' }] },
      { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
      { type: 'web_search_call', id: 'ws_1' },
      { type: 'function_call_output', call_id: 'c1', output: 'x' },
    ]
    const tools = [{ type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'f', odd: 1 }] }, { type: 'web_search' }]
    expect(lost('openai-responses', 'gemini', { input, tools, text: { verbosity: 'low' } }).toSorted()).toEqual([
      'input[0].tools[0].format',
      'input[2].content[1].detail',
      'input[5]',
      'text.verbosity',
      'tools[0].tools[0].odd',
      'tools[1]',
    ])
  })

  test('Gemini: declarations in groups, results, signatures', () => {
    const contents = [
      { role: 'user', parts: [{ text: 'x' }] },
      { role: 'model', parts: [{ functionCall: { name: 'f', args: {} }, thoughtSignature: 'c2VhbA==' }] },
      { role: 'user', parts: [{ functionResponse: { name: 'f', response: { error: 'no' } } }] },
    ]
    const tools = [{ googleSearch: {}, functionDeclarations: [{ name: 'f' }, { name: 'g', behavior: 'BLOCKING' }] }]
    const generationConfig = { seed: 1, candidateCount: 2, thinkingConfig: { thinkingLevel: 'HIGH' } }
    expect(lost('gemini', 'openai-responses', { contents, tools, generationConfig }).toSorted()).toEqual([
      'contents[1].parts[0].thoughtSignature',
      'contents[2].parts[0].functionResponse.response.error',
      'generationConfig.candidateCount',
      'generationConfig.seed',
      'tools[0].functionDeclarations[1].behavior',
      'tools[0].googleSearch',
    ])
  })

  test('Claude: its own names of parameters, and indexes beside blocks that were lost before', () => {
    const messages = [
      { role: 'user', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'y' },
          { type: 'tool_result', tool_use_id: 't', is_error: true, content: 'no' },
        ],
      },
    ]
    expect(lost('claude', 'openai-chat', { messages, max_tokens: 9, stop_sequences: ['1', '2', '3', '4', '5'] }).toSorted()).toEqual([
      'messages[0].content[0].cache_control',
      'messages[2].content[1].is_error',
      'stop_sequences',
    ])
    const chat = [
      {
        role: 'user',
        content: [{ type: 'text', text: 'x' }, { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }, picture],
      },
    ]
    expect(lost('openai-chat', 'claude', { messages: chat })).toEqual(['messages[0].content[1]', 'messages[0].content[2].image_url.detail'])
  })
})
