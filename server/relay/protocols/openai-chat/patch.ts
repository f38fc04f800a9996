import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Loss } from '../canonical.ts'
import type { PatchEdit } from '../protocol.ts'
import { plainCallId, readDetails } from './seals.ts'

/**
 * The same-protocol road: the client's body with another model name, and usage asked of a stream. Seals of other makers, which ride
 * on call ids and in `reasoning_details` (seals.ts), are taken off: this upstream would not know the ids.
 */
export function patch(body: JsonObject, edit: PatchEdit): JsonObject {
  const patched: JsonObject = { ...body, model: edit.model }
  if (edit.stream) {
    patched.stream_options = { ...(isObject(body.stream_options) ? body.stream_options : {}), include_usage: true }
  }
  if (Array.isArray(body.messages)) patched.messages = stripMessages(body.messages, edit.losses)
  return patched
}

/** Copies only what changes; a talk without seals is returned as it is. */
function stripMessages(messages: Json[], losses: Loss[] | undefined): Json[] {
  let copy: Json[] | undefined
  for (const [index, message] of messages.entries()) {
    if (!isObject(message)) continue
    const stripped = stripMessage(message, `messages[${index}]`, losses)
    if (stripped === message) continue
    copy ??= [...messages]
    copy[index] = stripped
  }
  return copy ?? messages
}

function stripMessage(message: JsonObject, path: string, losses: Loss[] | undefined): JsonObject {
  let stripped = message
  if (typeof message.tool_call_id === 'string') {
    const id = plainCallId(message.tool_call_id)
    if (id !== message.tool_call_id) stripped = { ...stripped, tool_call_id: id }
  }
  const { tool_calls: calls, reasoning_details: details } = message
  if (Array.isArray(calls) && calls.some(hasSeal)) {
    stripped = {
      ...stripped,
      tool_calls: calls.map((call) => (isObject(call) && typeof call.id === 'string' ? { ...call, id: plainCallId(call.id) } : call)),
    }
    losses?.push({ path: `${path}.tool_calls`, reason: 'What another maker sealed into the ids can be read by it only' })
  }
  if (Array.isArray(details)) {
    const { others } = readDetails(details)
    if (others.length === details.length) return stripped
    stripped = { ...stripped }
    if (others.length > 0) stripped.reasoning_details = others
    else delete stripped.reasoning_details
    losses?.push({ path: `${path}.reasoning_details`, reason: 'Thoughts another maker sealed can be read by it only' })
  }
  return stripped
}

function hasSeal(call: Json): boolean {
  return isObject(call) && typeof call.id === 'string' && plainCallId(call.id) !== call.id
}
