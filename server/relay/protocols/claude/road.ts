import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import { requireModel, type Peek } from '../protocol.ts'
import { isPacked } from './seals.ts'
import { count } from './wire.ts'

/** The version of the Messages API all of this speaks; Anthropic has had no other since. */
const API_VERSION = '2023-06-01'

/** @throws WireError when `model` is missing or not a string */
export function peek(body: JsonObject): Peek {
  const model = requireModel(body.model)
  const cap = count(body.max_tokens)
  const capped = cap === undefined ? {} : { maxOutputTokens: cap }
  return { model, stream: body.stream === true, ...capped, choices: 1, wantsUsage: true }
}

/**
 * The same-protocol road: the client's own body with the model replaced. Thoughts that another maker signed in an earlier turn are
 * taken out, since Claude refuses a signature it did not make; only the messages that hold one are copied.
 */
export function patch(body: JsonObject, edit: { model: string; stream: boolean }): JsonObject {
  const patched: JsonObject = { ...body, model: edit.model }
  if (edit.stream || body.stream !== undefined) patched.stream = edit.stream
  if (!Array.isArray(body.messages) || !body.messages.some(hasPacked)) return patched
  patched.messages = body.messages.map(strip).filter((each) => each !== null)
  // By a budget Claude thinks on inside a tool use only after a thought it signed: this one call then goes without.
  if (isObject(body.thinking) && body.thinking.type === 'enabled' && endsInStrippedToolUse(body.messages)) delete patched.thinking
  return patched
}

function endsInStrippedToolUse(messages: Json[]): boolean {
  const last = messages.findLast((message) => isObject(message) && message.role === 'assistant')
  return (
    last !== undefined &&
    hasPacked(last) &&
    isObject(last) &&
    Array.isArray(last.content) &&
    last.content.some((block) => isObject(block) && block.type === 'tool_use')
  )
}

function hasPacked(message: Json): boolean {
  return isObject(message) && Array.isArray(message.content) && message.content.some(isPackedThought)
}

function isPackedThought(block: Json): boolean {
  if (!isObject(block)) return false
  return (block.type === 'thinking' && isPacked(block.signature)) || (block.type === 'redacted_thinking' && isPacked(block.data))
}

/** @returns null for a message that held nothing but such thoughts */
function strip(message: Json): Json {
  if (!isObject(message) || !Array.isArray(message.content) || !hasPacked(message)) return message
  const content = message.content.filter((block) => !isPackedThought(block))
  return content.length === 0 ? null : { ...message, content }
}

/** `<base>/v1/messages`; a base that ends in a version already keeps none but `/v1`. */
export function endpoint(base: string): { url: string; headers(key: string): Record<string, string> } {
  const root = base.replace(/\/+$/, '').replace(/\/v1(beta)?$/, '')
  return { url: `${root}/v1/messages`, headers: (key) => ({ 'x-api-key': key, 'anthropic-version': API_VERSION }) }
}
