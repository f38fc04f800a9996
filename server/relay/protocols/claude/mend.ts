import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Frame } from '../protocol.ts'
import { parseObject } from './wire.ts'

/**
 * Anthropic's own SDKs read `usage` of a message, of `message_start` and of `message_delta` without asking whether it is there; some
 * imitators leave it out. What nobody stated is 0 here, as in `message_start` of a translated stream; the charge is counted apart.
 */
const UNKNOWN = { input_tokens: 0, output_tokens: 0 }

/** A whole message with a usage; the same object when it has one. */
export function mendMessage(message: JsonObject): JsonObject {
  return isObject(message.usage) ? message : { ...message, usage: UNKNOWN }
}

/** A frame with a usage where clients expect one; the same frame when it has one. */
export function mendFrame(frame: Frame): Frame {
  if ((frame.event !== 'message_start' && frame.event !== 'message_delta') || frame.data.includes('"usage"')) return frame
  const data = parseObject(frame.data)
  if (!data) return frame
  const mended = isObject(data.message)
    ? { ...data, message: mendMessage(data.message) }
    : { ...data, usage: { output_tokens: UNKNOWN.output_tokens } }
  return { ...frame, data: JSON.stringify(mended) }
}
