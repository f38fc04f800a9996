import type { PathInfo, Protocol } from './protocols/protocol.ts'
import { protocols } from './protocols/index.ts'

/** Where a call comes in: the protocol it speaks and what the URL says of it. */
export interface Ingress {
  readonly protocol: Protocol
  /** Name of the operation in log rows. */
  readonly endpoint: string
  readonly path: PathInfo
  /** Gemini's stream without `alt=sse` is one JSON array. */
  readonly jsonArray: boolean
}

/** The gateway's POST addresses whose last part is fixed. */
const fixed: Record<string, { protocol: keyof typeof protocols; endpoint: string }> = {
  '/v1/chat/completions': { protocol: 'openai-chat', endpoint: 'chat.completions' },
}

/** Finds the operation of a POST address, or undefined: 404. */
export function ingressOf(pathname: string): Ingress | undefined {
  const row = fixed[pathname]
  return row && { protocol: protocols[row.protocol], endpoint: row.endpoint, path: {}, jsonArray: false }
}

/** The protocol whose error shape an address answers in, also when nothing is served there. */
export function errorProtocolOf(pathname: string): Protocol {
  const row = fixed[pathname]
  return protocols[row?.protocol ?? 'openai-chat']
}
