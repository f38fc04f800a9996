import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Finish, FinishReason } from '../canonical.ts'
import { own, ownMembers } from './wire.ts'
import { words } from '../../../../contract/words.ts'

/** Finish reasons of OpenAI and of the vendors that copy it, in canonical words. */
const READ = words<FinishReason>({
  stop: 'stop',
  eos: 'stop',
  end_turn: 'stop',
  length: 'length',
  max_tokens: 'length',
  model_length: 'context_window',
  model_context_window_exceeded: 'context_window',
  tool_calls: 'tool_calls',
  tool_use: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
  sensitive: 'content_filter',
  refusal: 'refusal',
})

const WRITE: Record<FinishReason, string> = {
  stop: 'stop',
  stop_sequence: 'stop',
  pause: 'stop',
  other: 'stop',
  length: 'length',
  context_window: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'content_filter',
  refusal: 'content_filter',
}

/** What an answer held, which its finish reason does not always tell. */
export interface Held {
  calls: boolean
  refusal: boolean
}

/**
 * Reads the end of a choice. Some vendors say `stop` after tool calls; an answer that refuses says `stop` too.
 * @param extra what the choice or message tells that has no canonical name
 */
export function readFinish(reason: Json | undefined, held: Held, extra: JsonObject | undefined): Finish {
  const raw = typeof reason === 'string' ? reason : undefined
  let known: FinishReason = (raw === undefined ? undefined : READ[raw]) ?? 'other'
  if (known === 'stop') known = held.calls ? 'tool_calls' : held.refusal ? 'refusal' : known
  return { reason: known, ...(raw === undefined ? {} : { raw }), ...own(extra) }
}

/** Writes `finish_reason`: a vendor's own word comes back, another protocol's is told in OpenAI's words. */
export function writeFinish(finish: Finish, held: Held): string {
  if (finish.reason === 'refusal' && held.refusal) return 'stop'
  if (held.calls && (finish.reason === 'stop' || finish.reason === 'other' || finish.reason === 'pause')) return 'tool_calls'
  return WRITE[finish.reason]
}

/** Our own members of a finish, parted into those of the choice and those of its message. */
export function finishMembers(finish: Finish): { choice: JsonObject; message: JsonObject } {
  const { message, ...choice } = ownMembers(finish.ext)
  return { choice, message: typeof message === 'object' && message !== null && !Array.isArray(message) ? message : {} }
}

/** Whether a choice told members without a canonical name: those of the choice, and under `message` those of its message. */
export function finishExtra(choice: JsonObject | undefined, message: JsonObject | undefined): JsonObject | undefined {
  return choice || message ? { ...choice, ...(message ? { message } : {}) } : undefined
}
