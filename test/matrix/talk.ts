import type { JsonObject } from '../../contract/json.ts'
import type { Wire } from '../upstream/script.ts'

export interface ToolSpec {
  name: string
  description: string
  schema: JsonObject
}
export interface Media {
  mediaType: string
  base64: string
  name?: string
}
export interface ToolResult {
  id: string
  name: string
  output: string
  isError?: boolean
}

/** One step of a talk, in no protocol's words. */
export type Step =
  | { user: string; media?: Media }
  | { assistant: string }
  /** An answer as the SDK gave it, sent back the way its users do. */
  | { heard: Heard }
  | { results: readonly ToolResult[] }

/** What a client asks. */
export interface Ask {
  model: string
  system?: string
  talk: readonly Step[]
  tools?: readonly ToolSpec[]
  choice?: 'required' | 'none' | { name: string }
  parallel?: false
  schema?: { name: string; schema: JsonObject }
  thinking?: boolean
  maxTokens?: number
  temperature?: number
  topP?: number
  stop?: readonly string[]
}

export interface Call {
  id: string
  name: string
  args: unknown
}

/** What a client's SDK made of the answer. */
export interface Heard {
  model: string
  text: string
  thoughts: string
  calls: Call[]
  /** stop | length | tool_calls | content_filter | stop_sequence, or the client's own word where none of these is meant. */
  stop: string
  /** Totals; cached and reasoning are parts of them. */
  usage: { input: number; output: number; cached: number; reasoning: number } | undefined
  /** What the SDK's users send back. */
  echo: unknown
}

/** One official SDK. */
export interface Client {
  readonly wire: Wire
  readonly name: string
  /** Set where the SDK has no place for thoughts and drops them. */
  readonly tellsNoThoughts?: true
  /** How the SDK itself writes a tool's output, where it is not the text alone. */
  output?(tool: string, text: string): string
  ask(ask: Ask, stream: boolean): Promise<Heard>
}

/** What an upstream was asked, read from its body by its own rules: parts of the talk in order. */
export interface Seen {
  system: string
  parts: SeenPart[]
  tools: ToolSpec[]
  choice: string | undefined
  parallel: boolean | undefined
  schema: JsonObject | undefined
  maxTokens: number | undefined
  temperature: number | undefined
  topP: number | undefined
  stop: readonly string[]
  thinking: boolean
}

export type SeenPart =
  | { user: string }
  | { assistant: string }
  | { media: string; base64: string }
  | { call: Call }
  | { result: string; output: string; isError: boolean }
  /** Thoughts that came back, with what only their maker can read; a signed call's seal stands before it with empty text. */
  | { thought: string; seal: string | undefined }
