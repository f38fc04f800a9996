import type { UpstreamProtocol } from '../../../contract/channel-types.ts'
import { isObject, type Json, type JsonObject } from '../../../contract/json.ts'
import { EMPTY_USAGE, type Usage, type UsageDetails } from '../../../contract/meters.ts'
import type { Candidate } from '../../features/catalog/snapshot.ts'
import type { AdmittedCall } from '../call.ts'
import { besides } from '../endpoint.ts'
import { protocols } from '../protocols/index.ts'
import { requireModel, type Peek } from '../protocols/protocol.ts'
import { formWithModel } from './multipart.ts'
import type { ServiceRequest } from './service.ts'

/** What every operation of OpenAI's has in common. */

/** Only upstreams of OpenAI's kind have these operations (contract.md 3.4). */
export const OPENAI_KIND: ReadonlySet<UpstreamProtocol> = new Set(['openai-chat', 'openai-responses'])

/** The client's JSON with the upstream's model name, to `path` beside its generate address. */
export function jsonRequest(path: string): (call: AdmittedCall, candidate: Candidate) => ServiceRequest {
  return (call, { channel, upstreamModel }) => {
    const { url, headers } = besides(channel, upstreamModel, path)
    const isSame = call.body.model === upstreamModel && call.bytes
    const body = isSame ? isSame : JSON.stringify({ ...call.body, model: upstreamModel })
    return { url, headers: headers(channel.key), body, contentType: 'application/json' }
  }
}

/** The client's form, files byte for byte, with the upstream's model name. */
export function formRequest(path: string): (call: AdmittedCall, candidate: Candidate) => ServiceRequest {
  return (call, { channel, upstreamModel }) => {
    const { url, headers } = besides(channel, upstreamModel, path)
    const { bytes, contentType } = formWithModel(call.body, call.bytes ?? new Uint8Array(), upstreamModel)
    return { url, headers: headers(channel.key), body: bytes, contentType }
  }
}

/**
 * What routing needs of such a body. `n` is the number of items asked for.
 * @throws WireError without a model, unless the operation has one of its own
 */
export function peekOf(own?: string): (body: JsonObject) => Peek {
  return (body) => {
    const model = typeof body.model === 'string' && body.model.trim() !== '' ? body.model : (own ?? requireModel(body.model))
    const streams = body.stream === true || body.stream === 'true' || body.stream_format === 'sse'
    return { model, stream: streams, choices: itemsAsked(body), wantsUsage: true }
  }
}

/** `n` as JSON or as a form's text; 1 when absent or unreadable. */
export function itemsAsked(body: JsonObject): number {
  // Anything else has a `toString` of its caller's making, or none.
  const n = typeof body.n === 'number' || typeof body.n === 'string' ? Number(body.n) : 1
  return Number.isSafeInteger(n) && n > 0 ? n : 1
}

/** The usage an upstream stated in OpenAI's words. @returns undefined when it stated none that counts */
export function statedUsage(json: JsonObject | undefined): (Usage & UsageDetails) | undefined {
  const raw = isObject(json?.usage) ? json.usage : undefined
  if (!raw) return undefined
  // Judges and embedders of other makers state a total alone, and it is all input.
  const alone = typeof raw.total_tokens === 'number' && raw.prompt_tokens === undefined && raw.input_tokens === undefined
  // OpenAI's speech operations write `input_token_details`, its others `input_tokens_details`.
  const details = raw.input_tokens_details ?? raw.input_token_details
  return protocols['openai-chat'].usage({
    usage: { ...raw, ...(details !== undefined && { input_tokens_details: details }), ...(alone && { prompt_tokens: raw.total_tokens }) },
  })
}

/** Input tokens only. */
export function inputOnly(input: number): Usage {
  return { ...EMPTY_USAGE, input }
}

/** The texts of a string, a list of strings, or `{text}` objects. */
export function textsOf(value: Json | undefined): string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsOf)
  return isObject(value) && typeof value.text === 'string' ? [value.text] : []
}

/** Numbers in a list or a list of lists: an input that is token ids already. */
export function tokenIds(value: Json | undefined): number {
  if (!Array.isArray(value)) return 0
  let sum = 0
  for (const item of value) sum += typeof item === 'number' ? 1 : tokenIds(item)
  return sum
}
