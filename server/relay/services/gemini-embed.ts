import { isObject, type Json, type JsonObject } from '../../../contract/json.ts'
import type { Usage } from '../../../contract/meters.ts'
import type { Candidate } from '../../features/catalog/snapshot.ts'
import type { AdmittedCall } from '../call.ts'
import { besides, endpointOf } from '../endpoint.ts'
import { embeddedTexts, embeddingAnswer } from '../protocols/gemini/index.ts'
import { inputOnly, statedUsage } from './openai.ts'
import type { Service, ServiceRequest } from './service.ts'

const BATCH = 'batchEmbedContents'

/** All texts of the call. */
export const embedText = (body: JsonObject): string => embeddedTexts(body).join('\n')

/** Gemini's `embedContent` and `batchEmbedContents`: as they are to Gemini, as `/embeddings` to upstreams of OpenAI's kind. */
export const geminiEmbed: Service = {
  protocols: new Set(['gemini', 'openai-chat', 'openai-responses']),
  ceiling: (call) => inputOnly(call.estimatedInput),
  request: (call, candidate) => (candidate.channel.protocol === 'gemini' ? sameRequest(call, candidate) : openaiRequest(call, candidate)),
  answer: (json, call, { channel }) =>
    channel.protocol === 'gemini' ? json : embeddingAnswer(vectorsOf(json), call.ingress.path.action === BATCH),
  async measure({ json }, call, counter) {
    const usage = statedUsage(json) ?? geminiUsage(json)
    return { usage, estimate: usage ?? inputOnly(await counter.count(embedText(call.body))), items: 1 }
  },
}

function sameRequest(call: AdmittedCall, { channel, upstreamModel }: Candidate): ServiceRequest {
  const { url, headers } = endpointOf(channel, { model: upstreamModel, stream: false })
  const { requests } = call.body
  const body = {
    ...named(call.body, upstreamModel),
    ...(Array.isArray(requests) && { requests: requests.map((each) => named(each, upstreamModel)) }),
  }
  return {
    url: url.replace(/:generateContent$/, `:${call.ingress.path.action ?? ''}`),
    headers: headers(channel.key),
    body: JSON.stringify(body),
    contentType: 'application/json',
  }
}

/** The model's name stands in each request too. */
function named(request: Json, model: string): JsonObject {
  if (!isObject(request)) return {}
  return request.model === undefined ? request : { ...request, model: `models/${model}` }
}

function openaiRequest(call: AdmittedCall, { channel, upstreamModel }: Candidate): ServiceRequest {
  const { url, headers } = besides(channel, upstreamModel, '/embeddings')
  const first = Array.isArray(call.body.requests) && isObject(call.body.requests[0]) ? call.body.requests[0] : call.body
  const dimensions = first.outputDimensionality ?? first.output_dimensionality
  const body: JsonObject = {
    model: upstreamModel,
    input: embeddedTexts(call.body),
    encoding_format: 'float',
    ...(dimensions !== undefined && { dimensions }),
  }
  return { url, headers: headers(channel.key), body: JSON.stringify(body), contentType: 'application/json' }
}

/** The vectors of an OpenAI answer in the order of their inputs. */
function vectorsOf(json: JsonObject): number[][] {
  const rows = Array.isArray(json.data) ? json.data.filter(isObject) : []
  return rows
    .map((row, position) => ({ index: typeof row.index === 'number' ? row.index : position, vector: row.embedding }))
    .sort((a, b) => a.index - b.index)
    .map(({ vector }) => (Array.isArray(vector) ? vector.filter((value) => typeof value === 'number') : []))
}

function geminiUsage(json: JsonObject | undefined): Usage | undefined {
  const tokens = isObject(json?.usageMetadata) ? json.usageMetadata.promptTokenCount : undefined
  return typeof tokens === 'number' && Number.isSafeInteger(tokens) && tokens > 0 ? inputOnly(tokens) : undefined
}
