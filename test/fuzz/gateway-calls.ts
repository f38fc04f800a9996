const TOOL = { name: 'look', description: 'Looks', parameters: { type: 'object', properties: { where: { type: 'string' } } } }
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** One full call of each address of the gateway: what the fuzz spoils. MODEL is a model's name. */
export const GATEWAY_CALLS: readonly { path: string; body: Record<string, unknown> }[] = [
  {
    path: '/v1/chat/completions',
    body: {
      messages: [
        { role: 'system', content: 'Be short.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hi' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}`, detail: 'low' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"where":"up"}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'nothing' },
      ],
      tools: [{ type: 'function', function: TOOL }],
      tool_choice: 'auto',
      max_tokens: 20,
      temperature: 0.5,
      stop: ['x'],
      n: 1,
      stream: false,
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' }, strict: true } },
    },
  },
  {
    path: '/v1/responses',
    body: {
      instructions: 'Be short.',
      input: [
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'Hi' },
            { type: 'input_image', image_url: `data:image/png;base64,${PIXEL}` },
          ],
        },
        { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{}' },
        { type: 'function_call_output', call_id: 'call_1', output: 'nothing' },
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'abc' },
      ],
      tools: [{ type: 'function', ...TOOL }],
      reasoning: { effort: 'low' },
      text: { format: { type: 'text' } },
      max_output_tokens: 20,
      store: false,
      stream: true,
    },
  },
  {
    path: '/v1/messages',
    body: {
      system: [{ type: 'text', text: 'Be short.', cache_control: { type: 'ephemeral' } }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hi' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 'abc' },
            { type: 'tool_use', id: 'toolu_1', name: 'look', input: { where: 'up' } },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'nothing' }] }] },
      ],
      tools: [{ name: 'look', description: 'Looks', input_schema: { type: 'object' } }],
      tool_choice: { type: 'auto' },
      thinking: { type: 'enabled', budget_tokens: 1024 },
      max_tokens: 2_000,
      stream: true,
    },
  },
  {
    path: '/v1beta/models/MODEL:generateContent',
    body: {
      systemInstruction: { parts: [{ text: 'Be short.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Hi' }, { inlineData: { mimeType: 'image/png', data: PIXEL } }] },
        { role: 'model', parts: [{ functionCall: { name: 'look', args: { where: 'up' } }, thoughtSignature: 'abc' }] },
        { role: 'user', parts: [{ functionResponse: { name: 'look', response: { found: 'nothing' } } }] },
      ],
      tools: [{ functionDeclarations: [TOOL] }],
      generationConfig: {
        maxOutputTokens: 20,
        temperature: 0.5,
        stopSequences: ['x'],
        responseMimeType: 'application/json',
        thinkingConfig: { thinkingBudget: 10 },
      },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
    },
  },
  { path: '/v1beta/models/MODEL:streamGenerateContent?alt=sse', body: { contents: [{ parts: [{ text: 'Hi' }] }] } },
  { path: '/v1beta/models/MODEL:countTokens', body: { contents: [{ parts: [{ text: 'Hi' }] }] } },
  { path: '/v1/messages/count_tokens', body: { messages: [{ role: 'user', content: 'Hi' }] } },
  { path: '/v1/completions', body: { prompt: 'Hi', max_tokens: 20, echo: true } },
  { path: '/v1/embeddings', body: { input: ['a', [1, 2]], dimensions: 3, encoding_format: 'float' } },
  { path: '/v1/images/generations', body: { prompt: 'a', n: 1, size: '1024x1024' } },
  { path: '/v1/audio/speech', body: { input: 'a', voice: 'alloy', response_format: 'mp3' } },
  { path: '/v1/moderations', body: { input: 'a' } },
  { path: '/v1/rerank', body: { query: 'a', documents: ['b'] } },
]
