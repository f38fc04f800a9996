import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Finish, FinishReason } from '../canonical.ts'
import { isNative, own, ownMembers } from './wire.ts'
import { words } from '../../../../contract/words.ts'

/** Claude's stop reasons in canonical words. */
const READ = words<FinishReason>({
  end_turn: 'stop',
  max_tokens: 'length',
  stop_sequence: 'stop_sequence',
  tool_use: 'tool_calls',
  pause_turn: 'pause',
  refusal: 'refusal',
  model_context_window_exceeded: 'context_window',
})

const WRITE: Record<FinishReason, string> = {
  stop: 'end_turn',
  length: 'max_tokens',
  stop_sequence: 'stop_sequence',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
  refusal: 'refusal',
  pause: 'pause_turn',
  context_window: 'model_context_window_exceeded',
  other: 'end_turn',
}

/**
 * Reads the end of an answer. `extra` holds what Claude tells at the end and the canonical model has no name for (`stop_details`,
 * `container`, `context_management`), in a stream and in a whole body alike.
 */
export function readFinish(reason: Json | undefined, sequence: Json | undefined, extra: JsonObject | undefined): Finish {
  const raw = typeof reason === 'string' ? reason : undefined
  return {
    reason: (raw === undefined ? undefined : READ[raw]) ?? 'other',
    ...(raw === undefined ? {} : { raw }),
    ...(typeof sequence === 'string' ? { stopSequence: sequence } : {}),
    ...own(extra),
  }
}

/**
 * Writes `stop_reason` and `stop_sequence`. Clients run tools only on `tool_use`, which some vendors forget to say.
 * @param native the answer came from a Claude upstream, whose own word is given back even when we do not know it
 */
export function writeStop(finish: Finish, hasCalls: boolean, native: boolean): { stop_reason: string; stop_sequence: string | null } {
  const known = finish.raw !== undefined && READ[finish.raw] === finish.reason
  const open = finish.reason === 'stop' || finish.reason === 'other'
  const word = finish.raw !== undefined && (native || known) ? finish.raw : hasCalls && open ? WRITE.tool_calls : WRITE[finish.reason]
  return { stop_reason: word, stop_sequence: finish.stopSequence ?? null }
}

/** Members of a message that are told at its end; a stream's `message_delta` carries `context_management` and such beside `delta`. */
const IN_DELTA = new Set(['stop_details', 'container'])

/** Our own members of a finish, parted into those of `message_delta.delta` and those beside it. */
export function writeFinishMembers(finish: Finish): { delta: JsonObject; beside: JsonObject } {
  const parts: { delta: JsonObject; beside: JsonObject } = { delta: {}, beside: {} }
  if (!isNative(finish)) return parts
  const members = ownMembers(finish.ext) ?? {}
  for (const key of Object.keys(members)) parts[IN_DELTA.has(key) ? 'delta' : 'beside'][key] = members[key]
  return parts
}
