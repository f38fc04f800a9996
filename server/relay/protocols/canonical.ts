import type { Json, JsonObject } from '../../../contract/json.ts'
import type { Usage, UsageDetails } from '../../../contract/meters.ts'

/** Something only its maker can read (a thinking signature, encrypted reasoning); see seal.ts. */
export interface Seal {
  by: string
  value: string
}

/**
 * What a protocol says that the canonical model has no name for, kept under its protocol's id so that the
 * same-protocol road gives it back and every other road reports it as a Loss (see loss.ts). A member whose name starts with
 * `_` only remembers how something was written (a string or a list, an empty object): it comes back too and is never a Loss.
 */
export type Extensions = { [protocol: string]: JsonObject | undefined }

/** A prompt-cache mark after a block (Claude `cache_control`). */
export interface CacheMark {
  ttl?: '5m' | '1h'
}

export type MediaData = { base64: string } | { url: string } | { fileId: string }

export type Block =
  | { type: 'text'; text: string; cache?: CacheMark; ext?: Extensions }
  | { type: 'media'; mediaType: string; data: MediaData; name?: string; detail?: string; cache?: CacheMark; ext?: Extensions }
  | { type: 'reasoning'; text: string; seal?: Seal; redacted?: boolean; cache?: CacheMark; ext?: Extensions }
  /** `input` is raw JSON text, or free text for a `custom` tool. */
  | { type: 'call'; id: string; name: string; input: string; custom?: boolean; seal?: Seal; cache?: CacheMark; ext?: Extensions }
  | { type: 'result'; callId: string; name?: string; isError: boolean; content: Block[]; cache?: CacheMark; ext?: Extensions }
  | { type: 'refusal'; text: string; ext?: Extensions }
  /** A block we do not know, kept whole. */
  | { type: 'foreign'; from: string; data: JsonObject }

/** `system` in the middle of a talk is a message of its own (OpenAI `system`/`developer` roles). */
export interface Message {
  role: 'system' | 'developer' | 'user' | 'assistant'
  content: Block[]
  name?: string
  ext?: Extensions
}

export type Tool =
  | { type: 'function'; name: string; description?: string; schema?: JsonObject; strict?: boolean; cache?: CacheMark; ext?: Extensions }
  /** A free-form tool (Responses `custom`). */
  | { type: 'custom'; name: string; description?: string; format?: JsonObject; ext?: Extensions }
  /** A server tool of one maker (web search, code execution), kept whole. */
  | { type: 'foreign'; from: string; data: JsonObject }

export type ToolChoice =
  | { type: 'auto' }
  | { type: 'none' }
  | { type: 'required' }
  | { type: 'tool'; name: string }
  | { type: 'allowed'; mode: 'auto' | 'required'; names: string[] }

export type OutputFormat =
  | { type: 'text' }
  | { type: 'json' }
  | { type: 'json_schema'; name?: string; description?: string; schema: JsonObject; strict?: boolean }

export interface Reasoning {
  /** false: asked not to think at all. */
  enabled?: boolean
  /** none | minimal | low | medium | high | xhigh | max, as the makers name them. */
  effort?: string
  budgetTokens?: number
  /** Claude "adaptive", Gemini -1: the model chooses. */
  adaptive?: boolean
  /** Wants readable thoughts back (Gemini includeThoughts, Responses summary, Claude display). */
  summary?: string
}

/** One request, in no protocol's words. */
export interface Turn {
  model: string
  stream: boolean
  system: Block[]
  messages: Message[]
  tools: Tool[]
  toolChoice?: ToolChoice
  parallelToolCalls?: boolean
  output?: OutputFormat
  verbosity?: string
  maxOutputTokens?: number
  temperature?: number
  topP?: number
  topK?: number
  seed?: number
  stop?: string[]
  presencePenalty?: number
  frequencyPenalty?: number
  n?: number
  logprobs?: boolean
  topLogprobs?: number
  logitBias?: JsonObject
  reasoning?: Reasoning
  /** Modalities asked for, lower-case: text, image, audio. */
  modalities?: string[]
  cacheKey?: string
  user?: string
  metadata?: JsonObject
  serviceTier?: string
  store?: boolean
  ext?: Extensions
}

export type FinishReason =
  | 'stop'
  | 'length'
  | 'stop_sequence'
  | 'tool_calls'
  | 'content_filter'
  | 'refusal'
  | 'pause'
  | 'context_window'
  | 'other'

export interface Finish {
  reason: FinishReason
  /** The maker's own word, for the same maker and for logs. */
  raw?: string
  stopSequence?: string
  ext?: Extensions
}

/** One alternative of an answer; only n > 1 has several. `logprobs` has Chat Completions' form: `{content?: [...], refusal?: [...]}`. */
export interface Choice {
  index: number
  content: Block[]
  finish: Finish
  logprobs?: Json
  ext?: Extensions
}

/** A whole answer. */
export interface Completion {
  id: string
  model: string
  created?: number
  choices: Choice[]
  usage?: Usage & UsageDetails
  rawUsage?: Json
  serviceTier?: string
  ext?: Extensions
}

/**
 * One step of a streamed answer. `choice` is 0 unless n > 1. `index` counts the blocks of one choice from 0 in
 * the order they are opened. A `delta` appends to a text's or reasoning's text, a call's input, a refusal's text or a
 * media block's base64.
 */
export type Event =
  | { type: 'start'; id: string; model: string; created?: number; serviceTier?: string; ext?: Extensions }
  | { type: 'open'; choice: number; index: number; block: Block }
  /** `logprobs`: those of this piece of text, in the form of Choice.logprobs. */
  | { type: 'delta'; choice: number; index: number; text: string; logprobs?: Json; ext?: Extensions }
  | { type: 'seal'; choice: number; index: number; seal: Seal }
  | { type: 'close'; choice: number; index: number; ext?: Extensions }
  /** Cumulative for the answer: a later event replaces an earlier one field by field. */
  | { type: 'usage'; usage: Usage & UsageDetails; rawUsage?: Json }
  | { type: 'finish'; choice: number; finish: Finish }
  | { type: 'fault'; fault: Fault }
  | { type: 'ping' }
  /** An event we do not know, kept whole for the same protocol. */
  | { type: 'foreign'; from: string; data: JsonObject }

/** Why a call failed, in no protocol's words. `status` is what the customer gets. */
export interface Fault {
  kind:
    | 'invalid_request'
    | 'authentication'
    | 'permission'
    | 'not_found'
    | 'too_large'
    | 'rate_limit'
    | 'insufficient_balance'
    | 'content_policy'
    | 'overloaded'
    | 'unavailable'
    | 'timeout'
    | 'upstream'
    | 'internal'
  status: number
  message: string
  code?: string
  param?: string
  retryAfterSeconds?: number
}

/** Something a translation could not carry: `path` names it in the source's own words, e.g. `tools[0].cache_control`. */
export interface Loss {
  path: string
  reason: string
}
