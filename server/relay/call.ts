import type { JsonObject } from '../../contract/json.ts'
import type { KeyCaller } from '../features/api-keys/cache.ts'
import type { CallFacts } from '../features/billing/draft.ts'
import type { Candidate, CatalogMeta, CatalogModel, Snapshot } from '../features/catalog/snapshot.ts'
import type { CallLimits } from './call-limits.ts'
import type { AdaptedAnswer, Ingress } from './ingress.ts'
import type { Loss } from './protocols/canonical.ts'
import type { Frame, Peek } from './protocols/protocol.ts'
import type { StreamParser } from './protocols/sse.ts'
import type { Place } from './routing/affinity.ts'
import type { Pass } from './routing/health.ts'
import type { Route } from './routing/trace.ts'

/** A call that was let in: who, what, and the routing data of that moment. */
export interface AdmittedCall {
  readonly requestId: string
  readonly ingress: Ingress
  readonly caller: KeyCaller
  /** In the protocol's own form. */
  body: JsonObject
  /** The body as it came: forwarded as it is when nothing in it has to change, let go once that is done. */
  bytes: Uint8Array | undefined
  /** Set where the operation's answers have a form of their own. */
  readonly adapted: AdaptedAnswer | undefined
  /** What the operation's form could not bring along. */
  losses: readonly Loss[]
  readonly peek: Peek
  /** A meta model's call is turned from one model to the next (meta-call/): model, lists and facts change together then. */
  model: CatalogModel
  /** The meta model that was asked for. */
  readonly meta: CatalogMeta | undefined
  readonly snapshot: Snapshot
  /** The channels that may serve it, one list for each user channel in the order they are tried, each best first; none is empty. */
  lists: readonly (readonly Candidate[])[]
  facts: CallFacts
  /** Request headers that a same-protocol upstream may see. */
  readonly forwardHeaders: Record<string, string>
  /** Monotonic milliseconds at arrival. */
  readonly startedMs: number
  readonly estimatedInput: number
  /** What it takes of the limits of site, user and key. */
  readonly limits: CallLimits
  /** The client's side: aborted when it goes away. */
  readonly clientSignal: AbortSignal
  /** The name the client gave its conversation in a header; "": none, or there is no choice of channels. */
  readonly session: string
  /** Set by the plan: the conversation it belongs to, where that was served last, and how the order came about. */
  conversation?: string | undefined
  place?: Place | undefined
  route?: Route | undefined
  /** The channel's pass the answer came through. */
  pass?: Pass | undefined
}

/** One try on one channel, as the receipt shows it. */
export interface Attempt {
  channelId: number
  channel: string
  upstreamModel: string
  status: number | null
  outcome: 'ok' | 'failed' | 'aborted'
  error: string
  startedMs: number
  durationMs: number
}

/** An upstream that answered well enough to be delivered. */
export interface UpstreamAnswer {
  readonly candidate: Candidate
  readonly response: Response
  /** Ends the upstream's work. */
  readonly abort: AbortController
  readonly attempts: Attempt[]
  readonly losses: readonly Loss[]
  /** A stream's reader, with the frames that proved it alive and the parser that read them; absent for a whole body. */
  readonly stream: { reader: ReadableStreamDefaultReader<Uint8Array>; parser: StreamParser; frames: Frame[] } | undefined
  /** A whole body, read within its limit. */
  readonly whole: { bytes: Uint8Array; json: JsonObject } | undefined
}
