import { anything, filled, int, object, optional, text, type Shape } from '../fits.ts'

/** The gateway's routes (contract.md 3.4, 6): what goes in, the whole answer of a text, and whose words an error is in. */
export interface GatewayRow {
  /** As the contract and the OpenAPI document name it. */
  at: string
  path: string
  /** Without the model, where that is part of the body. */
  body?: object
  /** The protocol whose error object is sent (additions.md). */
  words: 'openai' | 'claude' | 'gemini'
  gives: Shape
}

export const MODEL = 'shop-model'
const HELLO = [{ role: 'user', content: 'Hello.' }]
const REPLY = 'Hello from the upstream.'

const chatUsage = object(
  { prompt_tokens: int, completion_tokens: int, total_tokens: int },
  'prompt_tokens_details completion_tokens_details',
)
const gemini: Shape = object(
  {
    candidates: [object({ content: { role: 'model', parts: [{ text: REPLY }] }, finishReason: 'STOP', index: optional(0) }, 'avgLogprobs')],
    usageMetadata: object(
      { promptTokenCount: int, candidatesTokenCount: int, totalTokenCount: int },
      'cachedContentTokenCount promptTokensDetails candidatesTokensDetails thoughtsTokenCount',
    ),
    modelVersion: MODEL,
  },
  'responseId createTime',
)
const contents = [{ role: 'user', parts: [{ text: 'Hello.' }] }]

export const gatewayRows: readonly GatewayRow[] = [
  {
    at: 'POST /v1/chat/completions',
    path: '/v1/chat/completions',
    body: { messages: HELLO },
    words: 'openai',
    gives: object(
      {
        id: filled,
        object: 'chat.completion',
        created: int,
        model: MODEL,
        choices: [
          object(
            { index: 0, finish_reason: 'stop', message: object({ role: 'assistant', content: REPLY }, 'refusal annotations') },
            'logprobs',
          ),
        ],
        usage: chatUsage,
      },
      'service_tier system_fingerprint',
    ),
  },
  {
    at: 'POST /v1/completions',
    path: '/v1/completions',
    body: { prompt: 'Hello.' },
    words: 'openai',
    gives: object(
      {
        id: filled,
        object: 'text_completion',
        created: int,
        model: MODEL,
        choices: [object({ index: 0, finish_reason: 'stop', text: REPLY }, 'logprobs')],
        usage: chatUsage,
      },
      'system_fingerprint',
    ),
  },
  {
    at: 'POST /v1/responses',
    path: '/v1/responses',
    body: { input: 'Hello.' },
    words: 'openai',
    gives: (value) => {
      const { object: kind, model, status, output, usage } = value as Record<string, unknown>
      const said = JSON.stringify(output)
      return kind === 'response' && model === MODEL && status === 'completed' && said.includes(REPLY) && usage !== undefined
        ? undefined
        : JSON.stringify(value)
    },
  },
  {
    at: 'POST /v1/images/generations',
    path: '/v1/images/generations',
    body: { prompt: 'A house.' },
    words: 'openai',
    gives: { created: int, data: [{ b64_json: text }], usage: anything },
  },
  {
    at: 'POST /v1/messages',
    path: '/v1/messages',
    body: { messages: HELLO, max_tokens: 50 },
    words: 'claude',
    gives: object({
      id: filled,
      type: 'message',
      role: 'assistant',
      model: MODEL,
      stop_reason: 'end_turn',
      stop_sequence: null,
      content: [{ type: 'text', text: REPLY }],
      usage: object(
        { input_tokens: int, output_tokens: int },
        'cache_read_input_tokens cache_creation_input_tokens cache_creation service_tier',
      ),
    }),
  },
  {
    at: 'POST /v1/models/{model}:generateContent',
    path: `/v1/models/${MODEL}:generateContent`,
    body: { contents },
    words: 'gemini',
    gives: gemini,
  },
  {
    at: 'POST /v1beta/models/{model}:generateContent',
    path: `/v1beta/models/${MODEL}:generateContent`,
    body: { contents },
    words: 'gemini',
    gives: gemini,
  },
  {
    at: 'GET /v1/models',
    path: '/v1/models',
    words: 'openai',
    gives: { object: 'list', data: [{ id: filled, object: 'model', created: 0, owned_by: filled }] },
  },
]

/** The error objects of the three makers. */
export const errorForms: Record<GatewayRow['words'], (message: string) => Shape> = {
  openai: (message) => object({ error: { message, type: filled, param: anything, code: anything } }, 'request_id'),
  claude: (message) => ({ type: 'error', error: { type: filled, message }, request_id: filled }),
  gemini: (message) => ({ error: object({ code: int, message, status: filled }, 'details') }),
}
