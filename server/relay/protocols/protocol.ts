import type { Json, JsonObject } from '../../../contract/json.ts'
import type { Usage, UsageDetails } from '../../../contract/meters.ts'
import type { ClientWords } from './places.ts'
import type { Block, Completion, Event, Fault, Loss, Turn } from './canonical.ts'

/** One server-sent event: `data` is the text after `data:`, several lines joined by newline. */
export interface Frame {
  event?: string
  data: string
}

/** Turns a sequence of inputs into outputs; `end` is called once when the input is over, also after a break. */
export interface Translator<In, Out> {
  push(input: In): Out[]
  end(): Out[]
}

/** What routing and the hold need to know before anything is decoded. */
export interface Peek {
  model: string
  stream: boolean
  /** The client's own cap on output tokens, where it gave one. */
  maxOutputTokens?: number
  /** Alternatives asked for (`n`, `candidateCount`); 1 when absent. */
  choices: number
  /** Chat only: the client asked for a usage chunk. Others always carry usage. */
  wantsUsage: boolean
}

/** What a stream encoder must know of the call it answers. */
export interface StreamCall {
  /** The platform's model name, shown to the client. */
  model: string
  wantsUsage: boolean
  /** Unix seconds when the call began; protocols that carry a creation time show it. */
  created: number
  /** An id for the answer when the upstream gave none. */
  id: string
  /** Gemini `streamGenerateContent` without alt=sse answers a JSON array. */
  jsonArray?: boolean
  /** The client's own body: Responses answers repeat what was asked, and tell calls of free-form tools from others by it. */
  request?: JsonObject
  /** Estimated input tokens, shown by Claude's message_start until the upstream's count is known. */
  estimatedInput?: number
}

/** What the tap of a same-protocol stream found in one frame. */
export interface TapResult {
  /** Decoded text of the answer in this frame (content, reasoning, tool arguments): what is counted when usage is missing. */
  text: string
  /** Usage in this frame, already normalised; merged over the stream. */
  usage?: Partial<Usage & UsageDetails>
  /** All cache writes so far, where the frame does not split them by lifetime (Claude `message_delta`): see merge-usage.ts. */
  cacheWriteTotal?: number
  /** The frame carries content a customer can use (first token). */
  content: boolean
  /** The protocol's own end marker or final event. */
  end?: boolean
  /** The finish reason in the maker's own word. */
  finish?: string
  /** The frame is the protocol's own error event. */
  fault?: Fault
  /** The frame exists only because we asked for usage: drop it for a client that did not. */
  usageOnly?: boolean
  /** Highest number of an alternative in this frame, where it is not 0. */
  choice?: number
}

/**
 * One wire protocol. Pure: no HTTP framework, no database, no clock, no network.
 * Decoders never throw on unknown members, blocks, events or enum values; they throw `WireError` only where the
 * body cannot be understood at all (not an object, a required member of the wrong type).
 */
export interface Protocol {
  readonly id: string
  /** POST addresses of the gateway that speak this protocol, each with the operation's name in log rows. */
  readonly addresses: Readonly<Record<string, string>>
  /** Where answers carry the model's name. */
  readonly answerModel: AnswerModel
  /** @throws WireError with a message for the caller when model is missing or not a string */
  peek(body: JsonObject, path: PathInfo): Peek
  /** The same-protocol road: a shallow copy with the model replaced and usage asked for; all else untouched. */
  patch(body: JsonObject, edit: PatchEdit): JsonObject
  /** Path below the base URL (which may end in /v1 or /v1beta) and the headers that carry the key. */
  endpoint(base: string, call: { model: string; stream: boolean }): { url: string; headers(key: string): Record<string, string> }
  decodeRequest(body: JsonObject, path: PathInfo): Turn
  /** Paths of the losses are canonical (Chat Completions' names, indexes of the turn); see places.ts. */
  encodeRequest(turn: Turn): { body: JsonObject; losses: Loss[] }
  /** What a client of this protocol calls what an encoder could not carry. */
  readonly words: ClientWords
  /** Whether the maker fetches media of this kind from an address by itself; else the relay puts the bytes into the turn. */
  takesUrl(media: Extract<Block, { type: 'media' }>, model: string): boolean
  /** Pictures and files that a request of this protocol names by address, for vendors of it who take none (`no_media_urls`). */
  mediaByUrl?(body: JsonObject): NamedMedia[]
  /** The same request with bytes in their place. @param files by address */
  withMedia?(body: JsonObject, files: ReadonlyMap<string, MediaFile>): JsonObject
  decodeResponse(body: JsonObject): Completion
  encodeResponse(completion: Completion, call: StreamCall): { body: JsonObject; losses: Loss[] }
  decodeStream(): Translator<Frame, Event>
  encodeStream(call: StreamCall): Translator<Event, Frame>
  /** Fault of an upstream answer with an error status, or of a 200 whose body is an error object (then undefined is "no error"). */
  decodeError(status: number, body: Json | undefined): Fault
  /** The error inside a body that came with a success status, as some vendors answer; undefined when it is no error. */
  bodyFault?(body: JsonObject): Fault | undefined
  encodeError(fault: Fault, requestId: string): { status: number; body: JsonObject }
  /** The frame (or frames) that break a stream off after its first byte. */
  encodeStreamError(fault: Fault, requestId: string): Frame[]
  /** Usage of a whole body, normalised; undefined when the body states none. */
  usage(body: JsonObject): (Usage & UsageDetails) | undefined
  /** Alternatives in a whole answer; absent where the protocol has only one. */
  alternatives?(body: JsonObject): number
  /** Text of a whole answer, for counting when usage is missing and for the filter. */
  answerText(body: JsonObject): string
  /** Text of a whole request without its framing, for estimating its tokens. */
  requestText(body: JsonObject): string
  /** Reads one frame of a same-protocol stream cheaply; keeps no state of its own. */
  tap(frame: Frame): TapResult
  /** Puts in what the protocol's own clients cannot do without, where an upstream of the same protocol left it out. */
  mendMessage?(body: JsonObject): JsonObject
  /** The same for one frame. */
  mendFrame?(frame: Frame): Frame
  /** A comment or ping that keeps a silent stream open, already framed. */
  readonly keepAlive: string
}

/** Where answers carry the model's name. */
export interface AnswerModel {
  member: 'model' | 'modelVersion'
  /** Whether a frame is one that carries it: in others a member of that name belongs to the answer itself (a tool's input). */
  inFrame(data: string): boolean
}

/** A picture or file that a request names by address. `mediaType`: as far as the request says, `image/*` for any picture. */
export interface NamedMedia {
  url: string
  mediaType: string
}

/** What was found at an address. */
export interface MediaFile {
  mediaType: string
  base64: string
}

/** What the same-protocol road changes in a body. */
export interface PatchEdit {
  model: string
  stream: boolean
  /** Takes what had to be stripped: seals of other makers, which an upstream would refuse. */
  losses?: Loss[]
}

/** What the URL says: Gemini carries model and action there. */
export interface PathInfo {
  model?: string
  action?: string
  query?: URLSearchParams
}

/** The caller's body cannot be understood; the message is for the caller. */
export class WireError extends Error {
  override readonly name = 'WireError'
  /** The body's member that is wrong, where one can be named. */
  readonly param: string | undefined

  constructor(message: string, param?: string) {
    super(message)
    this.param = param
  }
}

/** The model a body names. @throws WireError in the contract's words when it names none (contract.md 6.1) */
export function requireModel(model: unknown): string {
  if (model === undefined || model === null || (typeof model === 'string' && model.trim() === ''))
    throw new WireError('Model not specified', 'model')
  if (typeof model !== 'string') throw new WireError('model: must be a string', 'model')
  return model
}
