import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Loss } from '../canonical.ts'
import { WireError, type Frame, type Translator } from '../protocol.ts'
import { parseJson } from './seals.ts'
import { DONE } from './stream-decode.ts'
import { partsText } from './tap.ts'
import { promptText } from './texts.ts'
import { number, object, objects, text } from './wire.ts'

/** Members of `/v1/completions` that Chat Completions has no word for. */
const DROPPED = ['suffix', 'best_of'] as const

export interface TextCall {
  /** The Chat Completions body. */
  body: JsonObject
  losses: Loss[]
  /** The prompt, where the client asked to have it before the answer. */
  echo: string
}

/**
 * Turns a body of the legacy `/v1/completions` into a chat of one user message. Several prompts become one (contract.md 3.4); their
 * number of answers would be another.
 * @throws WireError when there is no prompt, or one of token ids, which no chat can be made of
 */
export function textToChat(body: JsonObject): TextCall {
  const { prompt, logprobs, echo, ...others } = body
  const content = promptText(prompt)
  if (content === '') throw new WireError('prompt must be a text or a list of texts', 'prompt')
  const chat: JsonObject = { ...others, messages: [{ role: 'user', content }] }
  const losses: Loss[] = []
  for (const member of DROPPED) {
    const value = chat[member]
    delete chat[member]
    if (value !== undefined && value !== null && value !== '' && value !== 1)
      losses.push({ path: member, reason: 'A chat has no such parameter' })
  }
  const asked = number(logprobs)
  if (asked !== undefined) Object.assign(chat, { logprobs: true, top_logprobs: asked })
  return { body: chat, losses, echo: echo === true ? content : '' }
}

/** Turns a chat completion into the `text_completion` a legacy client reads; error objects stay as they are. */
export function chatToText(body: JsonObject, echo = ''): JsonObject {
  if (!Array.isArray(body.choices)) return body
  const choices = objects(body.choices).map((choice, position): JsonObject => {
    const message = object(choice.message)
    const written = echo + contentText(message)
    return {
      text: written,
      index: number(choice.index) ?? position,
      logprobs: textLogprobs(choice.logprobs, echo.length),
      finish_reason: finishWord(choice.finish_reason),
    }
  })
  return { ...body, object: 'text_completion', choices }
}

/**
 * Turns the chunks of a chat into those of a text completion. Chunks without text (the role, thoughts, calls) are left out; usage,
 * errors and the end marker pass.
 */
export function chatStreamToText(echo = ''): Translator<Frame, Frame> {
  const offsets = new Map<number, number>()

  function convert(choice: JsonObject, position: number): JsonObject | undefined {
    const index = number(choice.index) ?? position
    const finish = finishWord(choice.finish_reason)
    const head = offsets.has(index) ? '' : echo
    const written = head + contentText(object(choice.delta))
    if (written === '' && finish === null) return undefined
    const before = offsets.get(index) ?? 0
    offsets.set(index, before + written.length)
    return { text: written, index, logprobs: textLogprobs(choice.logprobs, before + head.length), finish_reason: finish }
  }

  return {
    push(frame) {
      if (frame.data === DONE) return [frame]
      const chunk = parseJson(frame.data)
      if (!isObject(chunk) || !Array.isArray(chunk.choices) || chunk.error) return [frame]
      const choices = objects(chunk.choices)
        .map(convert)
        .filter((choice) => choice !== undefined)
      if (choices.length === 0 && !isObject(chunk.usage)) return []
      return [{ data: JSON.stringify({ ...chunk, object: 'text_completion', choices }) }]
    },
    end: () => [],
  }
}

function contentText(message: JsonObject): string {
  const { content } = message
  const written =
    typeof content === 'string'
      ? content
      : Array.isArray(content)
        ? partsText(content.filter((part) => isObject(part) && part.type === 'text'))
        : ''
  return written || (text(message.refusal) ?? '')
}

/** A text completion knows three ends. */
function finishWord(reason: Json | undefined): string | null {
  if (typeof reason !== 'string') return null
  return reason === 'length' || reason === 'content_filter' ? reason : 'stop'
}

/** Chat's list of tokens as the legacy lists side by side. */
function textLogprobs(value: Json | undefined, offset: number): JsonObject | null {
  if (!isObject(value) || !Array.isArray(value.content)) return null
  const found = { tokens: [] as Json[], token_logprobs: [] as Json[], top_logprobs: [] as Json[], text_offset: [] as Json[] }
  let at = offset
  for (const entry of objects(value.content)) {
    const token = text(entry.token) ?? ''
    found.tokens.push(token)
    found.token_logprobs.push(entry.logprob ?? null)
    found.top_logprobs.push(Object.fromEntries(objects(entry.top_logprobs).map((top) => [text(top.token) ?? '', top.logprob ?? null])))
    found.text_offset.push(at)
    at += token.length
  }
  return found
}
