import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Loss } from '../canonical.ts'
import { requireModel, type PatchEdit, type Peek } from '../protocol.ts'
import { isPacked, readCallId } from './seals.ts'
import { count } from './wire.ts'

/** @throws WireError when `model` is missing or not a string */
export function peek(body: JsonObject): Peek {
  const model = requireModel(body.model)
  const cap = count(body.max_output_tokens)
  return {
    model,
    stream: body.stream === true,
    ...(cap === undefined ? {} : { maxOutputTokens: cap }),
    choices: 1,
    wantsUsage: true,
  }
}

/**
 * The same-protocol road: the client's own body with the model replaced; the body itself when nothing has to change. What other makers
 * sealed in earlier turns is taken out, since OpenAI refuses seals it did not make and long call ids; only items that hold one are copied.
 */
export function patch(body: JsonObject, edit: PatchEdit): JsonObject {
  const input = Array.isArray(body.input) ? strip(body.input, edit.losses) : body.input
  const streams = edit.stream === (body.stream === true)
  if (input === body.input && streams && body.model === edit.model) return body
  return { ...body, model: edit.model, ...(streams ? {} : { stream: edit.stream }), ...(input === body.input ? {} : { input }) }
}

/** Copies the list only where something has to go. */
function strip(input: Json[], losses: Loss[] | undefined): Json[] {
  let copy: Json[] | undefined
  for (const [index, item] of input.entries()) {
    const stripped = isObject(item) ? stripItem(item, `input[${index}]`, losses) : item
    if (stripped !== item) copy ??= input.slice(0, index)
    if (copy && stripped !== undefined) copy.push(stripped)
  }
  return copy ?? input
}

/** @returns undefined for an item that held nothing but what another maker sealed */
function stripItem(item: JsonObject, path: string, losses: Loss[] | undefined): JsonObject | undefined {
  if (item.type === 'reasoning' && isPacked(item.encrypted_content)) {
    losses?.push({ path: `${path}.encrypted_content`, reason: 'Thoughts another maker sealed can be read by it only' })
    return undefined
  }
  if (typeof item.call_id !== 'string' || !item.call_id.includes('.tg1.')) return item
  const { id, seal } = readCallId(item.call_id)
  if (!seal) return item
  if (item.type === 'function_call' || item.type === 'custom_tool_call') {
    losses?.push({ path: `${path}.call_id`, reason: 'What another maker sealed into the call can be read by it only' })
  }
  return { ...item, call_id: id }
}

/** `<base>/v1/responses`; a base that ends in a version already keeps none but `/v1`. */
export function endpoint(base: string): { url: string; headers(key: string): Record<string, string> } {
  const root = base.replace(/\/+$/, '').replace(/\/v1(beta)?$/, '')
  return { url: `${root}/v1/responses`, headers: (key) => ({ authorization: `Bearer ${key}` }) }
}
