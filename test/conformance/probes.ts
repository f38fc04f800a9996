import type { JsonObject } from '../../contract/json.ts'
import type { ProtocolName } from '../protocols/recorded.ts'

const user = { role: 'user', content: 'Hi' }
const chat = (...content: JsonObject[]): JsonObject => ({ messages: [{ role: 'user', content }] })
const responses = (...content: JsonObject[]): JsonObject => ({ input: [{ role: 'user', content }] })
const claude = (...content: JsonObject[]): JsonObject => ({ max_tokens: 100, messages: [{ role: 'user', content }] })
const gemini = (...parts: JsonObject[]): JsonObject => ({ contents: [{ role: 'user', parts }] })
const said = (config: JsonObject): JsonObject => ({ ...gemini({ text: 'Hi' }), generationConfig: config })

/** Small requests for what the rich ones of test/matrix cannot ask together. */
export const probes: Record<ProtocolName, JsonObject[]> = {
  'openai-chat': [
    { messages: [user], n: 2, logprobs: true, top_logprobs: 3, seed: 7, service_tier: 'flex', user: 'u' },
    { messages: [user], modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } },
    { messages: [user], web_search_options: {}, store: true },
    { messages: [user], response_format: { type: 'json_object' } },
    { messages: [user], max_tokens: 8, temperature: 1.6 },
    chat({ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }),
    chat({ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' } }),
    chat({ type: 'file', file: { file_id: 'file-1' } }),
    chat({ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }),
    {
      messages: [user, { role: 'assistant', content: 'x' }, { role: 'system', content: 'Now in French.' }, user],
      tools: [
        { type: 'custom', custom: { name: 'sh', format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "a"' } } } },
      ],
      parallel_tool_calls: false,
    },
  ],
  'openai-responses': [
    { input: 'Hi', previous_response_id: 'resp_1' },
    { input: 'Hi', conversation: 'conv_1', background: true, prompt: { id: 'pmpt_1' } },
    { input: 'Hi', top_logprobs: 3, include: ['message.output_text.logprobs', 'file_search_call.results'], service_tier: 'flex' },
    { input: [{ type: 'item_reference', id: 'msg_1' }, user] },
    { input: [{ type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'x' } }, user] },
    { input: [{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' }, user] },
    {
      input: 'Hi',
      tools: [
        { type: 'file_search', vector_store_ids: ['vs_1'] },
        { type: 'mcp', server_label: 'm', server_url: 'https://example.com' },
      ],
      parallel_tool_calls: false,
    },
    responses({ type: 'input_image', image_url: 'https://example.com/a.png' }),
    responses({ type: 'input_image', file_id: 'file-1' }),
    responses({ type: 'input_file', file_url: 'https://example.com/a.pdf' }),
    responses({ type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' }),
  ],
  claude: [
    { max_tokens: 4_096, messages: [user], thinking: { type: 'enabled', budget_tokens: 2_048 }, service_tier: 'standard_only' },
    { max_tokens: 8, messages: [user], container: 'c', mcp_servers: [{ type: 'url', url: 'https://example.com', name: 'm' }] },
    { max_tokens: 8, messages: [user], context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } },
    claude({ type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }),
    claude({ type: 'image', source: { type: 'file', file_id: 'file_1' } }),
    claude({ type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } }),
    claude({
      type: 'document',
      title: 'a',
      source: { type: 'text', media_type: 'text/plain', data: 'words' },
      citations: { enabled: true },
    }),
    claude({ type: 'search_result', source: 'https://example.com', title: 'a', content: [{ type: 'text', text: 'x' }] }),
    {
      max_tokens: 100,
      messages: [
        user,
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 't', signature: 's' },
            { type: 'redacted_thinking', data: 'd' },
          ],
        },
        user,
      ],
      tools: [
        { type: 'code_execution_20250825', name: 'code_execution' },
        { type: 'bash_20250124', name: 'bash' },
      ],
    },
  ],
  gemini: [
    said({ candidateCount: 2, responseLogprobs: true, logprobs: 3, responseModalities: ['TEXT', 'IMAGE'] }),
    said({ responseMimeType: 'application/json', responseSchema: { type: 'OBJECT', properties: { a: { type: 'STRING' } } } }),
    said({ speechConfig: { voiceConfig: {} }, thinkingConfig: { thinkingBudget: 0 } }),
    { ...gemini({ text: 'Hi' }), cachedContent: 'cachedContents/1', serviceTier: 'flex' },
    { ...gemini({ text: 'Hi' }), tools: [{ codeExecution: {} }, { urlContext: {} }] },
    gemini({ fileData: { mimeType: 'image/png', fileUri: 'https://example.com/a.png' } }),
    gemini({ fileData: { mimeType: 'application/pdf', fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/1' } }),
    gemini({ fileData: { mimeType: 'video/mp4', fileUri: 'https://example.com/a.mp4' }, videoMetadata: { fps: 1 } }),
    gemini({ inlineData: { mimeType: 'audio/wav', data: 'UklGRg==' } }),
    {
      contents: [
        { role: 'model', parts: [{ executableCode: { language: 'PYTHON', code: '1' } }] },
        { role: 'user', parts: [{ text: 'Hi' }] },
      ],
    },
  ],
}
