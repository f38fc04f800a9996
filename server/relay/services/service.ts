import type { UpstreamProtocol } from '../../../contract/channel-types.ts'
import type { JsonObject } from '../../../contract/json.ts'
import type { Usage, UsageDetails } from '../../../contract/meters.ts'
import type { Candidate } from '../../features/catalog/snapshot.ts'
import type { AdmittedCall } from '../call.ts'
import type { TokenCounter } from '../counter.ts'

/** A request as one channel's upstream is to get it. */
export interface ServiceRequest {
  url: string
  headers: Record<string, string>
  body: Uint8Array | string
  contentType: string
}

/** What an answer told of itself. */
export interface Answered {
  /** The JSON body, or the event of a stream that stated usage, else its last one. */
  json: JsonObject | undefined
  /** Text that is no JSON (subtitles), or the text a stream wrote. */
  text: string
  /** Finished items a stream brought (images); undefined for a whole answer. */
  items: number | undefined
}

/** What a call used. `usage` is the upstream's own word; `estimate` is what is charged without one (docs/billing.md). */
export interface Measured {
  usage: (Usage & UsageDetails) | undefined
  estimate: Usage
  /** For models sold per call or per item. */
  items: number
}

/**
 * An operation that is sent on as it is and generates no text of a model: embeddings, pictures, sound, judgement. It walks the
 * same line as the others (relay.ts); this says what differs.
 */
export interface Service {
  /** Protocols of the channels that can serve it. */
  readonly protocols: ReadonlySet<UpstreamProtocol>
  /** Reads a body that is not JSON. @throws WireError for the caller */
  readonly read?: (bytes: Uint8Array, contentType: string) => JsonObject
  /** The most the call is expected to use: what is held for it. */
  ceiling(call: AdmittedCall): Usage
  request(call: AdmittedCall, candidate: Candidate): ServiceRequest
  /** The answer in the client's own form, where the upstream has another. */
  readonly answer?: (json: JsonObject, call: AdmittedCall, candidate: Candidate) => JsonObject
  measure(answered: Answered, call: AdmittedCall, counter: TokenCounter): Promise<Measured>
}
