import type { JsonObject } from '../../contract/json.ts'
import { DEFAULT_TOKENS, piecesOf, sse, stopOf, type Answer, type Part, type SpokenCall, type Speaker, type Stop } from './script.ts'

const REASONS: Record<Stop, string> = {
  stop: 'end_turn',
  stop_sequence: 'stop_sequence',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
  refusal: 'refusal',
}

/** Anthropic Messages. */
export const claude: Speaker = {
  whole(answer, call) {
    return { ...head(call), content: answer.parts.map(blockOf), ...endOf(answer), ...wholeUsage(answer) }
  },

  frames(answer, call) {
    const event = (type: string, rest: JsonObject): string => sse({ type, ...rest }, type)
    const begun = { ...head(call), content: [], stop_reason: null, stop_sequence: null, ...startUsage(answer) }
    const frames = [event('message_start', { message: begun }), event('ping', {})]
    answer.parts.forEach((part, index) => {
      const delta = (change: JsonObject): number => frames.push(event('content_block_delta', { index, delta: change }))
      frames.push(event('content_block_start', { index, content_block: openOf(part) }))
      if ('text' in part) for (const text of piecesOf(part.text, call.pieces)) delta({ type: 'text_delta', text })
      else if ('refusal' in part) for (const text of piecesOf(part.refusal, call.pieces)) delta({ type: 'text_delta', text })
      else if ('thought' in part) {
        for (const thinking of piecesOf(part.thought, call.pieces)) delta({ type: 'thinking_delta', thinking })
        delta({ type: 'signature_delta', signature: part.seal ?? '' })
      } else if ('call' in part) {
        delta({ type: 'input_json_delta', partial_json: '' })
        for (const piece of piecesOf(JSON.stringify(part.call.args), call.pieces)) delta({ type: 'input_json_delta', partial_json: piece })
      }
      frames.push(event('content_block_stop', { index }))
    })
    frames.push(event('message_delta', { delta: endOf(answer), ...endUsage(answer) }))
    frames.push(event('message_stop', {}))
    return frames
  },

  error: (status, message) => ({ type: 'error', error: { type: errorType(status), message }, request_id: 'req_test' }),
  errorFrame: (message) => sse({ type: 'error', error: { type: 'overloaded_error', message } }, 'error'),
}

function head(call: SpokenCall): JsonObject {
  return { id: `msg_${call.serial}`, type: 'message', role: 'assistant', model: call.model }
}

function endOf(answer: Answer): JsonObject {
  return { stop_reason: REASONS[stopOf(answer)], stop_sequence: answer.stopText ?? null }
}

function blockOf(part: Part): JsonObject {
  if ('text' in part) return { type: 'text', text: part.text }
  if ('refusal' in part) return { type: 'text', text: part.refusal }
  if ('thought' in part) return { type: 'thinking', thinking: part.thought, signature: part.seal ?? '' }
  if ('redacted' in part) return { type: 'redacted_thinking', data: part.redacted }
  return { type: 'tool_use', id: part.call.id, name: part.call.name, input: part.call.args }
}

function openOf(part: Part): JsonObject {
  if ('text' in part || 'refusal' in part) return { type: 'text', text: '' }
  if ('thought' in part) return { type: 'thinking', thinking: '', signature: '' }
  if ('redacted' in part) return { type: 'redacted_thinking', data: part.redacted }
  return { type: 'tool_use', id: part.call.id, name: part.call.name, input: {} }
}

function inputOf({ tokens = DEFAULT_TOKENS }: Answer): JsonObject {
  return {
    input_tokens: tokens.input,
    cache_creation_input_tokens: tokens.cacheWrite ?? 0,
    cache_read_input_tokens: tokens.cachedInput ?? 0,
  }
}

function wholeUsage(answer: Answer): JsonObject {
  if (answer.usage === 'missing') return {}
  if (answer.usage !== undefined) return { usage: answer.usage }
  return { usage: { ...inputOf(answer), output_tokens: (answer.tokens ?? DEFAULT_TOKENS).output, service_tier: 'standard' } }
}

/** What `message_start` tells: the input, and a first output token. */
function startUsage(answer: Answer): JsonObject {
  if (answer.usage === 'missing') return {}
  return { usage: answer.usage ?? { ...inputOf(answer), output_tokens: 1 } }
}

function endUsage(answer: Answer): JsonObject {
  if (answer.usage === 'missing') return {}
  return { usage: answer.usage ?? { output_tokens: (answer.tokens ?? DEFAULT_TOKENS).output } }
}

function errorType(status: number): string {
  switch (status) {
    case 400:
      return 'invalid_request_error'
    case 401:
      return 'authentication_error'
    case 403:
      return 'permission_error'
    case 404:
      return 'not_found_error'
    case 413:
      return 'request_too_large'
    case 429:
      return 'rate_limit_error'
    case 529:
      return 'overloaded_error'
    default:
      return 'api_error'
  }
}
