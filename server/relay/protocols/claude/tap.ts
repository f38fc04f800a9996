import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Usage, UsageDetails } from '../../../../contract/meters.ts'
import type { Frame, TapResult } from '../protocol.ts'
import { decodeError } from './error.ts'
import { readCounts, readDeltaCounts, type Counts } from './usage.ts'
import { parseObject, text } from './wire.ts'

const NOTHING: TapResult = Object.freeze({ text: '', content: false })
const END: TapResult = Object.freeze({ text: '', content: false, end: true })

/**
 * Reads one frame of a Messages stream on its way to the client: at most one JSON.parse, none for pings and block ends.
 * `message_start` tells no output: its count is a placeholder, and a stream cut before `message_delta` must not be billed by it.
 */
export function tap(frame: Frame): TapResult {
  if (frame.event === 'ping' || frame.event === 'content_block_stop') return NOTHING
  if (frame.event === 'message_stop') return END
  const data = parseObject(frame.data)
  switch (data?.type ?? frame.event) {
    case 'content_block_delta':
      return isObject(data?.delta) ? tapDelta(data.delta) : NOTHING
    case 'content_block_start':
      return isObject(data?.content_block) ? tapStart(data.content_block) : NOTHING
    case 'message_start': {
      const message = isObject(data?.message) ? data.message : {}
      const { output, reasoning, ...counts } = readCounts(message.usage)
      return { text: '', content: false, ...found(counts) }
    }
    case 'message_delta': {
      const finish = isObject(data?.delta) ? text(data.delta.stop_reason) : undefined
      return { text: '', content: false, ...found(readDeltaCounts(data?.usage)), ...(finish === undefined ? {} : { finish }) }
    }
    case 'message_stop':
      return END
    case 'error':
      return { text: '', content: false, fault: decodeError(200, data) }
    default:
      return NOTHING
  }
}

function tapDelta(delta: JsonObject): TapResult {
  const piece = text(delta.text) ?? text(delta.partial_json) ?? text(delta.thinking)
  if (piece !== undefined) return { text: piece, content: piece !== '' }
  const summary = delta.type === 'compaction_delta' ? text(delta.content) : undefined
  return summary === undefined ? NOTHING : { text: summary, content: summary !== '' }
}

/** Text usually comes in deltas; what already stands in a block's start counts too, and so does a tool's name for the customer. */
function tapStart(block: JsonObject): TapResult {
  const words = text(block.text) ?? text(block.thinking) ?? ''
  const content = words !== '' || (block.type !== 'text' && block.type !== 'thinking')
  return { text: words, content }
}

function found({ cacheWriteTotal, ...usage }: Counts): { usage?: Partial<Usage & UsageDetails>; cacheWriteTotal?: number } {
  return {
    ...(Object.keys(usage).length > 0 ? { usage } : {}),
    ...(cacheWriteTotal === undefined ? {} : { cacheWriteTotal }),
  }
}
