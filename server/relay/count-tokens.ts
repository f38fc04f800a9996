import { isObject, type JsonObject } from '../../contract/json.ts'
import { AppError } from '../../contract/errors.ts'
import type { Candidate } from '../features/catalog/snapshot.ts'
import { admit, type Arrival } from './admit.ts'
import type { AdmittedCall } from './call.ts'
import type { RelayDeps } from './deps.ts'
import { tryEach } from './dispatch.ts'
import { endpointOf } from './endpoint.ts'
import { decoded, GEMINI, sse, type Ingress } from './ingress.ts'
import { MAX_ATTEMPTS } from './limits.ts'
import type { UpstreamProtocol } from '../../contract/channel-types.ts'
import { countAnswer, countedRequest } from './protocols/gemini/index.ts'
import { protocols } from './protocols/index.ts'
import type { Protocol } from './protocols/protocol.ts'
import { sendService } from './services/send.ts'
import type { ServiceRequest } from './services/service.ts'
import { DispatchError } from './tries.ts'

/** How one protocol counts: which channels know the address, and an answer made here. */
interface Counting {
  /** Gemini counts what stands inside. */
  readonly protocol: Protocol
  readonly upstreams: ReadonlySet<UpstreamProtocol>
  url(generate: string): string
  body(call: AdmittedCall, model: string): JsonObject
  answer(tokens: number): JsonObject
}

const patched = (call: AdmittedCall, model: string): JsonObject => call.ingress.protocol.patch(call.body, { model, stream: false })

const countings = {
  messages: {
    protocol: protocols.claude,
    upstreams: new Set<UpstreamProtocol>(['claude']),
    url: (url) => `${url}/count_tokens`,
    body: patched,
    answer: (tokens) => ({ input_tokens: tokens }),
  },
  responses: {
    protocol: protocols['openai-responses'],
    upstreams: new Set<UpstreamProtocol>(['openai-responses']),
    url: (url) => `${url}/input_tokens`,
    body: patched,
    answer: (tokens) => ({ object: 'response.input_tokens', input_tokens: tokens }),
  },
  gemini: {
    protocol: {
      ...protocols.gemini,
      requestText: (body) => protocols.gemini.requestText(countedRequest(body)),
      peek(body, path) {
        countedRequest(body)
        return protocols.gemini.peek(body, path)
      },
    },
    upstreams: new Set<UpstreamProtocol>(['gemini']),
    url: (url) => url.replace(/:generateContent$/, ':countTokens'),
    body(call, model) {
      const inner = call.body.generateContentRequest
      return isObject(inner) ? { ...call.body, generateContentRequest: { ...inner, model: `models/${model}` } } : patched(call, model)
    },
    answer: countAnswer,
  },
} satisfies Record<string, Counting>

/** An address that counts. */
interface CountIngress extends Ingress {
  readonly counting: Counting
}

/** Finds the counting operation of a POST address, or undefined. */
export function countIngressOf(url: URL): CountIngress | undefined {
  if (url.pathname === '/v1/messages/count_tokens') return ingress(countings.messages, 'messages.count_tokens', {})
  if (url.pathname === '/v1/responses/input_tokens') return ingress(countings.responses, 'responses.input_tokens', {})
  const [, model, action] = GEMINI.exec(url.pathname) ?? []
  if (model === undefined || action !== 'countTokens') return undefined
  return ingress(countings.gemini, action, { model: decoded(model), action, query: url.searchParams })
}

function ingress(counting: Counting, endpoint: string, path: Ingress['path']): CountIngress {
  return { counting, protocol: counting.protocol, endpoint, path, framer: sse }
}

/**
 * Counts a request's tokens: asked of a channel of the same protocol where the model has one, else counted here. Costs nothing; the
 * key's rules and its rate limit hold as for a call.
 * @throws AppError for the client
 */
export async function countTokens(arrival: Arrival & { ingress: CountIngress }, deps: RelayDeps): Promise<Response> {
  const call = await admit(arrival, deps)
  try {
    return await countedBy(call, arrival.ingress, deps)
  } finally {
    // It produces nothing.
    call.limits.end(0)
  }
}

async function countedBy(call: AdmittedCall, { counting }: CountIngress, deps: RelayDeps): Promise<Response> {
  const headers = { 'x-tollgate-request-id': call.requestId, ...call.limits.headers() }
  const able = call.lists
    .flatMap((list) => deps.routing.speaking(list, counting.upstreams).filter(canCount).slice(0, MAX_ATTEMPTS))
    .slice(0, MAX_ATTEMPTS)
  const asked = able.length > 0 ? await askUpstream(call, counting, able, deps) : undefined
  if (asked) return Response.json(asked, { headers })
  const tokens = await deps.counter.count(counting.protocol.requestText(call.body))
  return Response.json(counting.answer(tokens), { headers })
}

function canCount({ channel }: Candidate): boolean {
  return channel.vendor?.quirks.includes('no_token_count') !== true
}

/** @returns undefined when no upstream could count; @throws AppError when the request itself was refused */
async function askUpstream(
  call: AdmittedCall,
  counting: Counting,
  able: readonly Candidate[],
  deps: RelayDeps,
): Promise<JsonObject | undefined> {
  try {
    const { whole } = await tryEach(call, able, deps, (_, candidate, __, limits) =>
      sendService(requestOf(call, counting, candidate), call, candidate, deps, limits.firstByteMs),
    )
    return whole?.json
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    if (error.failure.code === 'upstream_refused') throw new AppError('upstream_refused', { message: error.failure.message })
    return undefined
  } finally {
    deps.routing.ended(call, { broke: false, reason: '', usage: undefined })
  }
}

function requestOf(call: AdmittedCall, counting: Counting, { channel, upstreamModel }: Candidate): ServiceRequest {
  const { url, headers } = endpointOf(channel, { model: upstreamModel, stream: false })
  return {
    url: counting.url(url),
    headers: { ...headers(channel.key), ...call.forwardHeaders },
    contentType: 'application/json',
    body: JSON.stringify(counting.body(call, upstreamModel)),
  }
}
