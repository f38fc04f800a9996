import type { UpstreamProtocol } from '../../contract/channel-types.ts'
import { isObject, type Json, type JsonObject } from '../../contract/json.ts'
import type { Auth, Vendor } from '../../contract/vendors.ts'
import { protocols } from './protocols/index.ts'

/** An upstream as a request is addressed to it. */
export interface Addressed {
  readonly protocol: UpstreamProtocol
  readonly baseUrl: string
  /** Whose upstream it is, where that is known and matters. */
  readonly vendor: Vendor | undefined
}

export interface Endpoint {
  url: string
  headers(key: string): Record<string, string>
}

/** The latest version of Azure's data plane that is generally available (Azure OpenAI REST reference). */
const AZURE_API_VERSION = '2024-10-21'

/** How each header carries a key. */
const carriers: Record<Auth, (key: string) => Record<string, string>> = {
  // Put in when the request is sent (clouds/): a token or a signature.
  google: () => ({}),
  aws: () => ({}),
  bearer: (key) => ({ authorization: `Bearer ${key}` }),
  'x-api-key': (key) => ({ 'x-api-key': key }),
  'api-key': (key) => ({ 'api-key': key }),
  'x-goog-api-key': (key) => ({ 'x-goog-api-key': key }),
}

/** Address and key header of a generate call: the protocol's own, or the vendor's where it goes its own way. */
export function endpointOf(upstream: Addressed, call: { model: string; stream: boolean }): Endpoint {
  const { protocol, baseUrl, vendor } = upstream
  const own = protocols[protocol].endpoint(baseUrl, call)
  if (!vendor) return own
  const cloud = cloudUrl(upstream, vendor, call)
  if (cloud !== undefined) return { url: cloud, headers: carriers[vendor.auth] }
  // Its other ways are those of OpenAI's paths: its Claude or Gemini addresses are the makers' own.
  if (!isOpenAi(protocol)) return own
  return {
    url: vendorUrl(upstream, vendor, call.model) ?? own.url,
    headers: vendor.auth === 'bearer' ? own.headers : carriers[vendor.auth],
  }
}

/** Whether an upstream has OpenAI's other operations beside its generate paths. */
export function isOpenAi(protocol: UpstreamProtocol): boolean {
  return protocol === 'openai-chat' || protocol === 'openai-responses'
}

function vendorUrl({ protocol, baseUrl }: Addressed, vendor: Vendor, model: string): string | undefined {
  if (vendor.quirks.length === 0) return undefined
  const root = baseUrl.replace(/\/+$/, '')
  const path = protocol === 'openai-chat' ? '/chat/completions' : '/responses'
  if (vendor.quirks.includes('path_as_is') && !root.endsWith(path)) return `${root}${path}`
  if (vendor.quirks.includes('azure_deployments') && protocol === 'openai-chat' && !root.endsWith('/v1')) {
    const resource = root.replace(/\/openai(\/deployments(\/[^/]+)?)?$/, '')
    return `${resource}/openai/deployments/${encodeURIComponent(model)}${path}?api-version=${AZURE_API_VERSION}`
  }
  return undefined
}

/**
 * Where clouds have other makers' models: Vertex AI (projects.locations.publishers.models: generateContent, rawPredict and their
 * streaming forms) and Bedrock (InvokeModel, InvokeModelWithResponseStream).
 */
function cloudUrl(
  { protocol, baseUrl }: Addressed,
  { quirks }: Vendor,
  { model, stream }: { model: string; stream: boolean },
): string | undefined {
  const root = baseUrl.replace(/\/+$/, '')
  const name = encodeURIComponent(model)
  if (quirks.includes('bedrock_invoke')) return `${root}/model/${name}/${stream ? 'invoke-with-response-stream' : 'invoke'}`
  if (!quirks.includes('vertex_publishers')) return undefined
  if (protocol === 'claude') return `${root}/publishers/anthropic/models/${name}:${stream ? 'streamRawPredict' : 'rawPredict'}`
  return `${root}/publishers/google/models/${name}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`
}

/** Address of another of OpenAI's operations beside the generate path: `/embeddings`, `/images/edits`. */
export function besides(upstream: Addressed, model: string, path: string): Endpoint {
  const { url, headers } = endpointOf(upstream, { model, stream: false })
  return { url: url.replace(/\/(chat\/completions|responses)(?=$|\?)/, path), headers }
}

/** The version of the Messages API that each cloud offers (their pages on Claude). */
const VERTEX_VERSION = 'vertex-2023-10-16'
const BEDROCK_VERSION = 'bedrock-2023-05-31'

/**
 * A body as the vendor takes it; the very same object when nothing of it is refused.
 * @param betas the client's `anthropic-beta` header
 */
export function suitedBody(body: JsonObject, { protocol, vendor }: Addressed, betas?: string): JsonObject {
  if (!vendor) return body
  if (protocol === 'claude' && vendor.quirks.includes('vertex_publishers')) {
    const { model: _, ...rest } = body
    return { anthropic_version: VERTEX_VERSION, ...rest }
  }
  if (protocol === 'claude' && vendor.quirks.includes('bedrock_invoke')) {
    const { model: _, stream: __, ...rest } = body
    const named = betas?.split(',').map((beta) => beta.trim())
    return { anthropic_version: BEDROCK_VERSION, ...(named && { anthropic_beta: named }), ...rest }
  }
  if (protocol !== 'openai-chat') return body
  let suited = body
  // Usage comes without being asked for, or is counted.
  if (vendor.quirks.includes('no_stream_options') && body.stream_options !== undefined) {
    const { stream_options: _, ...rest } = suited
    suited = rest
  }
  if (vendor.quirks.includes('text_content') && Array.isArray(body.messages))
    suited = { ...suited, messages: body.messages.map(plainContent) }
  return suited
}

/** A message whose parts are all text gets that text itself; one with pictures stays. */
function plainContent(message: Json): Json {
  if (!isObject(message) || !Array.isArray(message.content)) return message
  const texts: string[] = []
  for (const part of message.content) {
    if (!isObject(part) || part.type !== 'text' || typeof part.text !== 'string') return message
    texts.push(part.text)
  }
  return { ...message, content: texts.join('\n') }
}
