import { isObject } from '../../../../contract/json.ts'
import type { Json } from '../../../../contract/json.ts'
import type { Frame, TapResult } from '../protocol.ts'
import { decodeError } from './error.ts'
import { isFinished } from './finish.ts'
import { partText } from './text.ts'
import { readUsage } from './usage.ts'

/**
 * Reads one chunk of a same-protocol stream: one parse, no blocks. The protocol has no end marker; the chunk that has the finish
 * reason and the counts is the last one (streams have one candidate: Vertex AI reference, candidateCount). A chunk with a reason
 * but without counts, as servers in between send it, is followed by one that has them.
 */
export function tap(frame: Frame): TapResult {
  let chunk: Json
  try {
    chunk = JSON.parse(frame.data) as Json
  } catch {
    return { text: '', content: false }
  }
  if (Array.isArray(chunk)) chunk = chunk[0] ?? null
  if (!isObject(chunk)) return { text: '', content: false }
  if (isObject(chunk.error)) return { text: '', content: false, fault: decodeError(0, chunk) }
  const result: TapResult = { text: '', content: false }
  let only = false
  if (Array.isArray(chunk.candidates)) {
    for (const candidate of chunk.candidates) {
      if (!isObject(candidate)) continue
      if (isObject(candidate.content) && Array.isArray(candidate.content.parts)) {
        for (const part of candidate.content.parts) {
          const text = partText(part)
          if (text !== '' || (isObject(part) && part.text === undefined)) result.content = true
          result.text += text
        }
      }
      if (isFinished(candidate.finishReason)) {
        result.finish = candidate.finishReason
        only = chunk.candidates.length === 1 && (candidate.index ?? 0) === 0
      }
    }
  }
  if (isObject(chunk.promptFeedback) && typeof chunk.promptFeedback.blockReason === 'string') {
    result.finish = chunk.promptFeedback.blockReason
    only = true
  }
  const usage = readUsage(chunk.usageMetadata ?? chunk.usage_metadata)
  if (usage) result.usage = usage
  if (only && usage?.input !== undefined) result.end = true
  return result
}
