import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Fault } from '../canonical.ts'
import type { Frame, TapResult } from '../protocol.ts'
import { decodeError } from './error.ts'
import { readUsage } from './usage.ts'
import { object, parseObject, text } from './wire.ts'

/** Shared by all frames that say nothing to us; callers only read it. */
const NOTHING: TapResult = Object.freeze({ text: '', content: false })
const CONTENT: TapResult = Object.freeze({ text: '', content: true })

/**
 * Reads one frame of a Responses stream. Deltas, the most frequent by far, are parsed once; of the rest the event's name is mostly
 * enough.
 */
export function tap(frame: Frame): TapResult {
  const { event } = frame
  if (event !== undefined && !tells(event)) return event.endsWith('.partial_image') ? CONTENT : NOTHING
  const data = parseObject(frame.data)
  if (!data) return NOTHING
  const type = text(data.type) ?? event ?? ''
  // Sound as base64: no words. What it says comes in the deltas of its transcript.
  if (type === 'response.audio.delta') return CONTENT
  if (type.endsWith('.delta')) {
    return typeof data.delta === 'string' && data.delta !== '' ? { text: data.delta, content: true } : NOTHING
  }
  switch (type) {
    case 'response.completed':
    case 'response.incomplete':
      return finished(object(data.response))
    case 'response.failed':
      return { ...finished(object(data.response)), fault: decodeError(0, data) }
    case 'error':
      return failed(decodeError(0, data))
    default:
      return type === '' && isObject(data.error) ? failed(decodeError(0, data)) : NOTHING
  }
}

/** Whether events of this name tell text or how the stream ended. */
function tells(event: string): boolean {
  return (
    event.endsWith('.delta') ||
    event === 'response.completed' ||
    event === 'response.incomplete' ||
    event === 'response.failed' ||
    event === 'error' ||
    !event.startsWith('response.')
  )
}

function failed(fault: Fault): TapResult {
  return { text: '', content: false, end: true, fault }
}

function finished(response: JsonObject): TapResult {
  const usage = readUsage(response.usage)
  const finish = text(object(response.incomplete_details).reason) ?? text(response.status)
  return { text: '', content: false, end: true, ...(usage ? { usage } : {}), ...(finish === undefined ? {} : { finish }) }
}
