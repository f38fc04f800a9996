import type { JsonObject } from '../../contract/json.ts'

/** The four ways an upstream speaks, by the address that was asked. */
export type Wire = 'chat' | 'responses' | 'claude' | 'gemini'

/** One thing a model says, in no protocol's words. */
export type Part =
  | { text: string }
  /** Thoughts; `seal` is what only this maker can read (signature, encrypted content). */
  | { thought: string; seal?: string }
  /** Thoughts that nobody may read (Claude `redacted_thinking`); others have no word for it and say nothing. */
  | { redacted: string }
  | { call: { id: string; name: string; args: JsonObject }; seal?: string }
  | { refusal: string }

export type Stop = 'stop' | 'length' | 'tool_calls' | 'stop_sequence' | 'content_filter' | 'refusal'

/** Tokens of one answer, disjoint: `input` is what is neither read from nor written to a cache; `reasoning` is part of `output`. */
export interface Tokens {
  input: number
  output: number
  cachedInput?: number
  cacheWrite?: number
  reasoning?: number
}

/** What the model answers. */
export interface Answer {
  parts: readonly Part[]
  stop?: Stop
  /** The text that stopped it, with `stop: 'stop_sequence'`. */
  stopText?: string
  /** What it bills; a fixed small bill when absent. */
  tokens?: Tokens
  /** `missing`: says nothing of usage. An object stands in the usage's place as it is (absurd counts). */
  usage?: 'missing' | JsonObject
}

/** A reply that is no answer of a model, byte for byte. */
export interface Reply {
  status?: number
  headers?: Record<string, string>
  body: string | Uint8Array | JsonObject
}

/** What the upstream does with one request. Plain data: the same script can be used again and for all protocols. */
export interface Script {
  answer?: Answer
  /** Instead of an answer. */
  reply?: Reply
  /** An error in the protocol's own shape with this status. */
  error?: { status: number; message: string; headers?: Record<string, string> }
  /** Before the first byte; `silence` never answers. */
  delayMs?: number | 'silence'
  /** Pieces each text of a stream is cut in (3). */
  pieces?: number
  /** Between two frames of a stream. */
  pauseMs?: number
  /**
   * A stream that ends early, after so many frames: `end` closes properly without the end marker, `break` breaks the connection,
   * `silence` says nothing more, `error` sends the protocol's own error event.
   */
  cut?: { after: number; how: 'end' | 'break' | 'silence' | 'error'; message?: string }
  /** Leaves the connection open after the end marker, for this long. */
  lingerMs?: number
}

/** What a protocol file must do: write an answer in its own words. Knows nothing of the gateway's codecs. */
export interface Speaker {
  whole(answer: Answer, call: SpokenCall): JsonObject
  /** The stream's frames, ready to send. */
  frames(answer: Answer, call: SpokenCall): string[]
  error(status: number, message: string): JsonObject
  errorFrame(message: string): string
}

export interface SpokenCall {
  /** The upstream's own name of the model. */
  model: string
  /** Running number of the request, for ids. */
  serial: number
  pieces: number
  /** Chat only: usage was asked for in the stream. */
  usageAsked: boolean
}

export const DEFAULT_TOKENS: Tokens = { input: 12, output: 7 }

/** The answer's reason to stop, with what follows from its parts when none is given. */
export function stopOf(answer: Answer): Stop {
  return answer.stop ?? (answer.parts.some((part) => 'call' in part) ? 'tool_calls' : 'stop')
}

/** Cuts a text into `count` pieces of characters, none empty unless the text is. */
export function piecesOf(text: string, count: number): string[] {
  if (count === 1) return [text]
  const letters = Array.from(text)
  const size = Math.max(1, Math.ceil(letters.length / count))
  const pieces: string[] = []
  for (let at = 0; at < letters.length; at += size) pieces.push(letters.slice(at, at + size).join(''))
  return pieces.length > 0 ? pieces : ['']
}

/** One server-sent event. */
export function sse(data: JsonObject | string, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
}
