import type { JsonObject } from '../../contract/json.ts'
import type { Wire } from '../upstream/script.ts'

const PNG = 'iVBORw0KGgo='
const schema: JsonObject = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: { q: { type: 'string', pattern: '^[a-z]+$' } },
  required: ['q'],
}
const answerSchema: JsonObject = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }

/** One request per protocol that uses as much of it as its API documents; what a translation drops of it is written down in losses/. */
export const richRequests: Record<Wire, { path: string; body: JsonObject }> = {
  chat: {
    path: '/v1/chat/completions',
    body: {
      messages: [
        { role: 'developer', content: [{ type: 'text', text: 'Be terse.' }] },
        {
          role: 'user',
          name: 'ada',
          content: [
            { type: 'text', text: 'Look.' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}`, detail: 'low' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"q":"x"}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'found' }] },
        {
          role: 'user',
          content: [
            { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
            { type: 'text', text: 'And?' },
          ],
        },
      ],
      tools: [{ type: 'function', function: { name: 'find', description: 'Finds', parameters: schema, strict: true } }],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: answerSchema, strict: true } },
      max_completion_tokens: 5_000,
      temperature: 0.3,
      top_p: 0.8,
      seed: 7,
      stop: ['END'],
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      n: 1,
      logprobs: true,
      top_logprobs: 2,
      logit_bias: { 50_256: -100 },
      user: 'u1',
      metadata: { a: 'b' },
      service_tier: 'auto',
      store: false,
      reasoning_effort: 'high',
      verbosity: 'low',
      prompt_cache_key: 'k',
      prediction: { type: 'content', content: 'x' },
    },
  },
  responses: {
    path: '/v1/responses',
    body: {
      instructions: 'Be terse.',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look.' },
            { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'low' },
          ],
        },
        { type: 'function_call', call_id: 'call_1', name: 'find', arguments: '{"q":"x"}' },
        { type: 'function_call_output', call_id: 'call_1', output: 'found' },
        { type: 'custom_tool_call', call_id: 'call_2', name: 'shell', input: 'ls -l' },
        { type: 'custom_tool_call_output', call_id: 'call_2', output: 'a.txt' },
        { role: 'user', content: 'And?' },
      ],
      tools: [
        { type: 'function', name: 'find', description: 'Finds', parameters: schema, strict: true },
        { type: 'custom', name: 'shell', description: 'Runs', format: { type: 'grammar', syntax: 'lark', definition: 'start: /.+/' } },
        { type: 'web_search', search_context_size: 'low' },
      ],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      text: { format: { type: 'json_schema', name: 'answer', schema: answerSchema, strict: true }, verbosity: 'low' },
      max_output_tokens: 5_000,
      temperature: 0.3,
      top_p: 0.8,
      top_logprobs: 2,
      user: 'u1',
      metadata: { a: 'b' },
      service_tier: 'auto',
      store: false,
      reasoning: { effort: 'high', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
      prompt_cache_key: 'k',
      truncation: 'auto',
      max_tool_calls: 3,
    },
  },
  claude: {
    path: '/v1/messages',
    body: {
      system: [{ type: 'text', text: 'Be terse.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look.' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
          ],
        },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'find', input: { q: 'x' } }] },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_1', is_error: true, content: [{ type: 'text', text: 'found' }] },
            { type: 'text', text: 'And?', cache_control: { type: 'ephemeral' } },
          ],
        },
      ],
      tools: [
        { name: 'find', description: 'Finds', input_schema: schema, cache_control: { type: 'ephemeral' }, eager_input_streaming: true },
        { type: 'web_search_20250305', name: 'web_search', max_uses: 2 },
      ],
      tool_choice: { type: 'auto', disable_parallel_tool_use: false },
      output_config: { format: { type: 'json_schema', schema: answerSchema } },
      max_tokens: 5_000,
      top_k: 40,
      stop_sequences: ['END'],
      metadata: { user_id: 'u1' },
      service_tier: 'auto',
    },
  },
  gemini: {
    path: '/v1beta/models/MODEL:generateContent',
    body: {
      systemInstruction: { role: 'user', parts: [{ text: 'Be terse.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Look.' }, { inlineData: { mimeType: 'image/png', data: PNG } }] },
        {
          role: 'model',
          parts: [{ functionCall: { id: 'call_1', name: 'find', args: { q: 'x' } }, thoughtSignature: 'skip_thought_signature_validator' }],
        },
        { role: 'user', parts: [{ functionResponse: { id: 'call_1', name: 'find', response: { output: 'found' } } }] },
        { role: 'model', parts: [{ text: 'Found.' }] },
        { role: 'user', parts: [{ text: 'And?' }, { inlineData: { mimeType: 'audio/wav', data: 'UklGRg==' } }] },
      ],
      tools: [{ functionDeclarations: [{ name: 'find', description: 'Finds', parametersJsonSchema: schema }] }, { googleSearch: {} }],
      toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      generationConfig: {
        maxOutputTokens: 5_000,
        temperature: 0.3,
        topP: 0.8,
        topK: 40,
        seed: 7,
        stopSequences: ['END'],
        presencePenalty: 0.1,
        frequencyPenalty: 0.2,
        responseMimeType: 'application/json',
        responseJsonSchema: answerSchema,
        thinkingConfig: { includeThoughts: true, thinkingLevel: 'HIGH' },
        mediaResolution: 'MEDIA_RESOLUTION_LOW',
      },
    },
  },
}
