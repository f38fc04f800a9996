import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import { WireError, type Peek } from '../protocol.ts'
import { isPacked, readCallId } from './seals.ts'
import { count } from './wire.ts'

/** @throws WireError when `model` is missing or not a string */
export function peek(body: JsonObject): Peek {
  if (typeof body.model !== 'string' || body.model === '') throw new WireError('model: must be a non-empty string', 'model')
  const cap = count(body.max_output_tokens)
  return { model: body.model, stream: body.stream === true, ...(cap === undefined ? {} : { maxOutputTokens: cap }), choices: 1, wantsUsage: true }
}

/**
 * The same-protocol road: the client's own body with the model replaced. What other makers sealed in earlier turns is taken out, since
 * OpenAI refuses seals it did not make and long call ids; only the items that hold one are copied.
 */
export function patch(body: JsonObject, edit: { model: string; stream: boolean }): JsonObject {
  const patched: JsonObject = { ...body, model: edit.model }
  if (edit.stream || body.stream !== undefined) patched.stream = edit.stream
  if (Array.isArray(body.input) && body.input.some(isSealed)) patched.input = body.input.filter((item) => !isSealedThought(item)).map(unseal)
  return patched
}

function isSealedThought(item: Json): boolean {
  return isObject(item) && item.type === 'reasoning' && isPacked(item.encrypted_content)
}

function isSealedCall(item: Json): boolean {
  return isObject(item) && typeof item.call_id === 'string' && item.call_id.includes('.tg1.')
}

function isSealed(item: Json): boolean {
  return isSealedThought(item) || isSealedCall(item)
}

function unseal(item: Json): Json {
  if (!isSealedCall(item) || !isObject(item) || typeof item.call_id !== 'string') return item
  return { ...item, call_id: readCallId(item.call_id).id }
}

/** `<base>/v1/responses`; a base that ends in a version already keeps none but `/v1`. */
export function endpoint(base: string): { url: string; headers(key: string): Record<string, string> } {
  const root = base.replace(/\/+$/, '').replace(/\/v1(beta)?$/, '')
  return { url: `${root}/v1/responses`, headers: (key) => ({ authorization: `Bearer ${key}` }) }
}
