import { isObject, type JsonObject } from '../../../contract/json.ts'
import type { Usage } from '../../../contract/meters.ts'
import { inputOnly, jsonRequest, OPENAI_KIND, statedUsage, textsOf, tokenIds } from './openai.ts'
import type { Service } from './service.ts'

/** Operations that read text and write none: all they use is input. */
function reading(
  path: string,
  text: (body: JsonObject) => string,
  stated: (json: JsonObject | undefined) => Usage | undefined = statedUsage,
): Service {
  return {
    protocols: OPENAI_KIND,
    ceiling: (call) => inputOnly(call.estimatedInput + tokenIds(call.body.input)),
    request: jsonRequest(path),
    async measure({ json }, call, counter) {
      const usage = stated(json)
      return { usage, estimate: usage ?? inputOnly((await counter.count(text(call.body))) + tokenIds(call.body.input)), items: 1 }
    },
  }
}

/** Text of an embedding's or a moderation's `input`. */
export const inputText = (body: JsonObject): string => textsOf(body.input).join('\n')

/** Query and documents of a rerank. */
export const rerankText = (body: JsonObject): string => [...textsOf(body.query), ...textsOf(body.documents)].join('\n')

export const embeddings = reading('/embeddings', inputText)
export const moderations = reading('/moderations', inputText)
export const rerank = reading('/rerank', rerankText, (json) => statedUsage(json) ?? rerankUsage(json))

/** Cohere's form of the answer, which SiliconFlow and others copy: `meta.tokens.input_tokens`. */
function rerankUsage(json: JsonObject | undefined): Usage | undefined {
  const tokens = isObject(json?.meta) && isObject(json.meta.tokens) ? json.meta.tokens.input_tokens : undefined
  return typeof tokens === 'number' && Number.isSafeInteger(tokens) && tokens > 0 ? inputOnly(tokens) : undefined
}
