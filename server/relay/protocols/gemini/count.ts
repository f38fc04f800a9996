import { isObject } from '../../../../contract/json.ts'
import type { JsonObject } from '../../../../contract/json.ts'
import { WireError } from '../protocol.ts'
import { partText } from './text.ts'
import { camel, list } from './wire.ts'

/**
 * The request inside a countTokens call: bare `contents`, or a whole `generateContentRequest`.
 * @throws WireError when there is neither
 */
export function countedRequest(raw: JsonObject): JsonObject {
  const body = camel(raw)
  const inner = isObject(body.generateContentRequest) ? camel(body.generateContentRequest) : body
  if (inner.contents === undefined) throw new WireError('contents are required', 'contents')
  return inner
}

/** A CountTokensResponse. @param tokens all tokens of the request */
export function countAnswer(tokens: number): JsonObject {
  return { totalTokens: tokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: tokens }] }
}

/**
 * The texts of an embedContent call, or of a batchEmbedContents call in their order.
 * @throws WireError when a content is missing
 */
export function embeddedTexts(raw: JsonObject): string[] {
  const body = camel(raw)
  const requests = Array.isArray(body.requests) ? list(body.requests) : [body]
  return requests.map((request, index) => {
    if (!isObject(request) || !isObject(request.content)) throw new WireError('content is required', `requests[${index}].content`)
    return list(request.content.parts).map(partText).join('\n')
  })
}

/** An EmbedContentResponse, or with `batch` a BatchEmbedContentsResponse. */
export function embeddingAnswer(vectors: number[][], batch: boolean): JsonObject {
  if (batch) return { embeddings: vectors.map((values) => ({ values })) }
  return { embedding: { values: vectors[0] ?? [] } }
}
