import { isObject, type JsonObject } from '../../contract/json.ts'
import { chat } from '../upstream/chat.ts'
import { claude } from '../upstream/claude.ts'
import { gemini } from '../upstream/gemini.ts'
import { responses } from '../upstream/responses.ts'
import { sse, type Answer, type Reply, type Speaker, type SpokenCall, type Wire } from '../upstream/script.ts'

export const speakers: Record<Wire, Speaker> = { chat, responses, claude, gemini }

export const TEXT = 'one two three four five six'
export const ANSWER: Answer = { parts: [{ text: TEXT }] }
/** Frames before the first text: what each protocol begins with. */
const BEFORE_TEXT: Record<Wire, number> = { chat: 1, responses: 4, claude: 3, gemini: 0 }
/** Bytes into the next frame, so that it is cut in its middle. */
const INTO_FRAME = 30
/** A chunk's length in hex and two line ends (RFC 9112, 7.1). */
const chunkFrame = (size: number): number => size.toString(16).length + 4

const call: SpokenCall = { model: 'shop-model', serial: 1, pieces: 3, usageAsked: true }
const bytesOf = (text: string): number => new TextEncoder().encode(text).length

/** Frames of a stream up to and with its second piece of text. */
export function framesInside(wire: Wire): number {
  return BEFORE_TEXT[wire] + 2
}

/** Bytes of a chunked stream's body up to the middle of the frame behind its second piece of text. */
export function bytesInside(wire: Wire): number {
  const frames = speakers[wire].frames(ANSWER, call).slice(0, framesInside(wire))
  return frames.reduce((sum, frame) => sum + bytesOf(frame) + chunkFrame(bytesOf(frame)), 0) + INTO_FRAME
}

/** A good answer as its bytes, for replies that spoil something around it. */
export function bodyOf(wire: Wire, stream: boolean): string {
  return stream ? speakers[wire].frames(ANSWER, call).join('') : JSON.stringify(speakers[wire].whole(ANSWER, call))
}

/** The right content type. */
export function typeOf(stream: boolean): string {
  return stream ? 'text/event-stream' : 'application/json'
}

/** Usage in each protocol's words. */
export function usageWords(wire: Wire, input: number | string, output: number | string): JsonObject {
  const total = typeof input === 'number' && typeof output === 'number' ? input + output : input
  switch (wire) {
    case 'chat':
      return { prompt_tokens: input, completion_tokens: output, total_tokens: total }
    case 'responses':
      return {
        input_tokens: input,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: output,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: total,
      }
    case 'claude':
      return { input_tokens: input, output_tokens: output }
    case 'gemini':
      return { promptTokenCount: input, candidatesTokenCount: output, totalTokenCount: total }
  }
}

/** The frame, or the member, that states usage comes twice. */
export function usageTwice(wire: Wire, stream: boolean): Reply {
  const headers = { 'content-type': typeOf(stream) }
  if (!stream) {
    const name = wire === 'gemini' ? 'usageMetadata' : 'usage'
    return { headers, body: `${bodyOf(wire, false).slice(0, -1)},"${name}":${JSON.stringify(usageWords(wire, 12, 7))}}` }
  }
  const frames = speakers[wire].frames(ANSWER, call)
  const at = frames.length - (wire === 'chat' || wire === 'claude' ? 2 : 1)
  return { headers, body: [...frames.slice(0, at + 1), frames[at], ...frames.slice(at + 1)].join('') }
}

/** Every frame states the usage so far, as several imitators do it. */
export function usageSoFar(wire: Wire, stream: boolean): Reply {
  const headers = { 'content-type': typeOf(stream) }
  if (!stream) return { headers, body: bodyOf(wire, false) }
  const frames = speakers[wire].frames(ANSWER, call)
  const soFar = (index: number): JsonObject => usageWords(wire, 12, Math.min(7, 1 + index))
  const body = frames.flatMap((frame, index) => {
    const json = dataOf(frame)
    const type = typeof json?.type === 'string' ? json.type : undefined
    if (wire === 'claude' && type === 'content_block_stop')
      return [
        frame,
        sse({ type: 'message_delta', delta: { stop_reason: null, stop_sequence: null }, usage: { output_tokens: 3 } }, 'message_delta'),
      ]
    if (!json || index === frames.length - 1) return [frame]
    if (wire === 'chat' && Array.isArray(json.choices) && json.choices.length > 0) return [sse({ ...json, usage: soFar(index) })]
    if (wire === 'gemini') return [sse({ ...json, usageMetadata: soFar(index) })]
    if (wire === 'responses' && isObject(json.response) && type === 'response.in_progress')
      return [sse({ ...json, response: { ...json.response, usage: soFar(index) } }, type)]
    return [frame]
  })
  return { headers, body: body.join('') }
}

function dataOf(frame: string): JsonObject | undefined {
  const text = /^data: (\{.*\})$/m.exec(frame)?.[1]
  return text === undefined ? undefined : (JSON.parse(text) as JsonObject)
}
