import type { JsonObject } from '../../../contract/json.ts'

/** A gateway operation: its body is a vendor's, so the vendor's own documentation is the reference. */
interface GatewayOperation {
  readonly method: 'get' | 'post' | 'delete'
  readonly path: string
  readonly summary: string
  readonly docs: string
  /** Media types of the request; none: no body. */
  readonly body?: readonly string[]
  /** Media types of a success. */
  readonly answers: readonly string[]
}

const JSON_TYPE = 'application/json'
const FORM = 'multipart/form-data'
const STREAMED = [JSON_TYPE, 'text/event-stream']
const OPENAI = 'https://platform.openai.com/docs/api-reference'
const CLAUDE = 'https://docs.anthropic.com/en/api'
const GEMINI = 'https://ai.google.dev/api'

const post = (
  path: string,
  summary: string,
  docs: string,
  answers: readonly string[] = [JSON_TYPE],
  body = [JSON_TYPE],
): GatewayOperation => ({
  method: 'post',
  path,
  summary,
  docs,
  body,
  answers,
})
const get = (path: string, summary: string, docs: string): GatewayOperation => ({
  method: 'get',
  path,
  summary,
  docs,
  answers: [JSON_TYPE],
})

/** Gemini's operations stand below both prefixes; the model may hold `/` and `:`. */
const gemini = (['/v1', '/v1beta'] as const).flatMap((prefix) => [
  post(`${prefix}/models/{model}:generateContent`, 'Gemini: generate', `${GEMINI}/generate-content`),
  post(`${prefix}/models/{model}:streamGenerateContent`, 'Gemini: generate, as a stream', `${GEMINI}/generate-content`, STREAMED),
  post(`${prefix}/models/{model}:countTokens`, 'Gemini: count tokens, free', `${GEMINI}/tokens`),
  post(`${prefix}/models/{model}:embedContent`, 'Gemini: embed', `${GEMINI}/embeddings`),
  post(`${prefix}/models/{model}:batchEmbedContents`, 'Gemini: embed many', `${GEMINI}/embeddings`),
])

/** Everything below /v1 and /v1beta. */
export const gatewayOperations: readonly GatewayOperation[] = [
  get(
    '/v1/models',
    "Models the caller can use, in OpenAI's, Anthropic's or Gemini's form by the client's headers",
    `${OPENAI}/models/list`,
  ),
  get('/v1/models/{model}', 'One model', `${OPENAI}/models/retrieve`),
  get('/v1beta/models', "Models the caller can use, in Gemini's form", `${GEMINI}/models`),
  get('/v1beta/models/{model}', "One model, in Gemini's form", `${GEMINI}/models`),
  post('/v1/chat/completions', 'OpenAI Chat', `${OPENAI}/chat/create`, STREAMED),
  post('/v1/completions', 'OpenAI Completions (legacy)', `${OPENAI}/completions/create`, STREAMED),
  post('/v1/responses', 'OpenAI Responses', `${OPENAI}/responses/create`, STREAMED),
  post('/v1/responses/input_tokens', 'Count the input tokens of a response, free', `${OPENAI}/responses/input-tokens`),
  get('/v1/responses/{id}', 'A stored response', `${OPENAI}/responses/get`),
  { ...get('/v1/responses/{id}', 'Delete a stored response', `${OPENAI}/responses/delete`), method: 'delete' },
  get('/v1/responses/{id}/input_items', 'What a stored response was asked', `${OPENAI}/responses/input-items`),
  { ...get('/v1/responses/{id}/cancel', 'Cancel a response', `${OPENAI}/responses/cancel`), method: 'post' },
  post('/v1/messages', 'Anthropic Messages', `${CLAUDE}/messages`, STREAMED),
  post('/v1/messages/count_tokens', 'Anthropic: count tokens, free', `${CLAUDE}/messages-count-tokens`),
  post('/v1/embeddings', 'OpenAI Embeddings', `${OPENAI}/embeddings/create`),
  post('/v1/moderations', 'OpenAI Moderations', `${OPENAI}/moderations/create`),
  post('/v1/rerank', 'Rerank documents', 'https://docs.cohere.com/reference/rerank'),
  post('/v1/images/generations', 'OpenAI Images', `${OPENAI}/images/create`, STREAMED),
  post('/v1/images/edits', 'OpenAI Images: edit', `${OPENAI}/images/createEdit`, STREAMED, [JSON_TYPE, FORM]),
  post('/v1/images/variations', 'OpenAI Images: variation', `${OPENAI}/images/createVariation`, [JSON_TYPE], [FORM]),
  post('/v1/audio/speech', 'OpenAI Speech', `${OPENAI}/audio/createSpeech`, ['audio/*', 'text/event-stream']),
  post('/v1/audio/transcriptions', 'OpenAI Transcriptions', `${OPENAI}/audio/createTranscription`, [...STREAMED, 'text/plain'], [FORM]),
  post('/v1/audio/translations', 'OpenAI Translations', `${OPENAI}/audio/createTranslation`, [JSON_TYPE, 'text/plain'], [FORM]),
  ...gemini,
]

/** One gateway operation for the document; errors have the form of the protocol that is spoken. */
export function describeGateway({ method, path, summary, docs, body, answers }: GatewayOperation): JsonObject {
  const content = (types: readonly string[]): JsonObject =>
    Object.fromEntries(types.map((type) => [type, { schema: type === JSON_TYPE ? { type: 'object' } : {} }]))
  return {
    operationId: `${method} ${path}`.replace(/[^a-z0-9]+/gi, '_').replace(/_$/, ''),
    tags: ['gateway'],
    summary,
    externalDocs: { url: docs },
    security: [{ apiKey: [] }, { apiKeyHeader: [] }, { session: [] }, ...(path.startsWith('/v1beta') ? [{ apiKeyQuery: [] }] : [])],
    parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...(body ? { requestBody: { required: true, content: content(body) } } : {}),
    responses: {
      200: { description: "The protocol's own answer", content: content(answers) },
      '4XX': { description: "The protocol's own error", content: content([JSON_TYPE]) },
      '5XX': { description: "The protocol's own error", content: content([JSON_TYPE]) },
    },
  }
}
