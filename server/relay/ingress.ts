import type { JsonObject } from '../../contract/json.ts'
import type { Loss } from './protocols/canonical.ts'
import { framerFor, wantsArray, type Framer } from './protocols/gemini/stream.ts'
import { protocols } from './protocols/index.ts'
import { chatStreamToText, chatToText, textToChat } from './protocols/openai-chat/completions.ts'
import type { Service } from './services/service.ts'
import type { Frame, PathInfo, Protocol, Translator } from './protocols/protocol.ts'

/** An operation whose bodies are another form of its protocol's. */
export interface Adapter {
  /**
   * @returns undefined when this body needs no other form; without `answer` only the request does
   * @throws WireError when the body cannot be read
   */
  request(body: JsonObject): { body: JsonObject; losses: readonly Loss[]; answer?: AdaptedAnswer } | undefined
}

/** Puts the protocol's answer into the operation's own form. */
export interface AdaptedAnswer {
  whole(body: JsonObject): JsonObject
  stream(): Translator<Frame, Frame>
}

/** Where a call comes in: the protocol it speaks and what the URL says of it. */
export interface Ingress {
  readonly protocol: Protocol
  /** Name of the operation in log rows. */
  readonly endpoint: string
  readonly path: PathInfo
  readonly adapter?: Adapter
  /** Set on the operations that generate no text of a model: how they are sent and measured. */
  readonly service?: Service
  /** How a stream's frames are written. */
  framer(): Framer
}

/** `/v1/completions`: one user message of a chat, answered as `text_completion` (W33). */
const textCompletions: Adapter = {
  request(body) {
    const { body: chat, losses, echo } = textToChat(body)
    return { body: chat, losses, answer: { whole: (answer) => chatToText(answer, echo), stream: () => chatStreamToText(echo) } }
  },
}

/**
 * `/v1/responses` in the background would be answered before anything is known of its cost: it is answered when it is done. A client
 * that polls until then finds it complete at once.
 */
const responses: Adapter = {
  request(body) {
    if (body.background !== true) return undefined
    const { background: _, ...rest } = body
    return { body: rest, losses: [{ path: 'background', reason: 'The answer comes with the call itself' }] }
  },
}

export const sse = (): Framer => framerFor({})

/** Addresses whose bodies are another form of their protocol's. */
const adapters: Record<string, Adapter> = { '/v1/completions': textCompletions, '/v1/responses': responses }

/** The gateway's POST addresses whose last part is fixed, as the protocols name them. */
const fixed = new Map<string, Ingress>()
for (const protocol of Object.values<Protocol>(protocols)) {
  for (const [path, endpoint] of Object.entries(protocol.addresses)) {
    const adapter = adapters[path]
    fixed.set(path, { protocol, endpoint, path: {}, framer: sse, ...(adapter && { adapter }) })
  }
}

/** `/v1beta/models/<model>:<action>`; the model may hold `/` and `:`, so the action is what follows the last colon (W34). */
export const GEMINI = /^\/v1(?:beta)?\/models\/(.+):([A-Za-z]+)$/
const GEMINI_ACTIONS = new Set(['generateContent', 'streamGenerateContent'])

/** Finds the operation of a POST address, or undefined: 404. */
export function ingressOf(url: URL): Ingress | undefined {
  const row = fixed.get(url.pathname)
  if (row) return row
  const match = GEMINI.exec(url.pathname)
  const [, model, action] = match ?? []
  if (model === undefined || action === undefined || !GEMINI_ACTIONS.has(action)) return undefined
  const query = url.searchParams
  const jsonArray = action === 'streamGenerateContent' && wantsArray(query)
  return {
    protocol: protocols.gemini,
    endpoint: action,
    path: { model: decoded(model), action, query },
    framer: () => framerFor({ jsonArray }),
  }
}

/** The makers whose clients ask `/v1/models`. */
export type ModelsProtocol = 'openai-chat' | 'claude' | 'gemini'

/** Who asks `/v1/models`: each maker's client has a header of its own. */
export function modelsProtocol(headers: Headers): ModelsProtocol {
  if (headers.has('anthropic-version')) return 'claude'
  return headers.has('x-goog-api-key') ? 'gemini' : 'openai-chat'
}

/** The protocol whose error shape an address answers in, also when nothing is served there. */
export function errorProtocolOf(pathname: string, headers: Headers): Protocol {
  const row = fixed.get(pathname)
  if (row) return row.protocol
  if (pathname.startsWith('/v1/messages')) return protocols.claude
  if (/^\/v1\/models(\/|$)/.test(pathname) && !GEMINI.test(pathname)) return protocols[modelsProtocol(headers)]
  return GEMINI.test(pathname) || pathname.startsWith('/v1beta') ? protocols.gemini : protocols['openai-chat']
}

/** A part of a path without its percent signs. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
