import type { JsonObject } from '../../contract/json.ts'
import { DEFAULT_TOKENS, piecesOf, sse, stopOf, type Answer, type SpokenCall, type Speaker, type Stop } from './script.ts'

const CREATED = 1_790_000_000
const REASONS: Record<Stop, string> = {
  stop: 'stop',
  stop_sequence: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'content_filter',
  refusal: 'stop',
}

/** OpenAI Chat Completions as OpenAI speaks it; thoughts in `reasoning_content`, as its imitators do. */
export const chat: Speaker = {
  whole(answer, call) {
    const message: JsonObject = { role: 'assistant', content: textOf(answer), refusal: null }
    const thoughts = answer.parts.flatMap((part) => ('thought' in part ? [part.thought] : [])).join('')
    if (thoughts !== '') message.reasoning_content = thoughts
    const calls = callsOf(answer)
    if (calls.length > 0) message.tool_calls = calls
    for (const part of answer.parts) if ('refusal' in part) message.refusal = part.refusal
    return {
      ...head(call),
      object: 'chat.completion',
      choices: [{ index: 0, message, logprobs: null, finish_reason: REASONS[stopOf(answer)] }],
      ...usageOf(answer),
    }
  },

  frames(answer, call) {
    const chunk = (delta: JsonObject, finish: string | null = null): string =>
      sse({ ...head(call), object: 'chat.completion.chunk', choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] })
    const frames = [chunk({ role: 'assistant', content: '' })]
    let calls = 0
    for (const part of answer.parts) {
      if ('text' in part) for (const piece of piecesOf(part.text, call.pieces)) frames.push(chunk({ content: piece }))
      else if ('thought' in part) for (const piece of piecesOf(part.thought, call.pieces)) frames.push(chunk({ reasoning_content: piece }))
      else if ('refusal' in part) for (const piece of piecesOf(part.refusal, call.pieces)) frames.push(chunk({ refusal: piece }))
      else if ('call' in part) {
        const index = calls
        calls += 1
        frames.push(
          chunk({ tool_calls: [{ index, id: part.call.id, type: 'function', function: { name: part.call.name, arguments: '' } }] }),
        )
        for (const piece of piecesOf(JSON.stringify(part.call.args), call.pieces))
          frames.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }))
      }
    }
    frames.push(chunk({}, REASONS[stopOf(answer)]))
    const { usage } = usageOf(answer)
    if (call.usageAsked && usage !== undefined) frames.push(sse({ ...head(call), object: 'chat.completion.chunk', choices: [], usage }))
    frames.push(sse('[DONE]'))
    return frames
  },

  error: (status, message) => ({
    error: { message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code: null },
  }),
  errorFrame: (message) => sse({ error: { message, type: 'server_error', param: null, code: null } }),
}

function head(call: SpokenCall): JsonObject {
  return { id: `chatcmpl-${call.serial}`, created: CREATED, model: call.model, system_fingerprint: 'fp_test' }
}

function textOf(answer: Answer): string | null {
  const text = answer.parts.flatMap((part) => ('text' in part ? [part.text] : []))
  return text.length === 0 ? null : text.join('')
}

function callsOf(answer: Answer): JsonObject[] {
  return answer.parts.flatMap((part) =>
    'call' in part
      ? [{ id: part.call.id, type: 'function', function: { name: part.call.name, arguments: JSON.stringify(part.call.args) } }]
      : [],
  )
}

function usageOf({ usage, tokens = DEFAULT_TOKENS }: Answer): { usage?: JsonObject } {
  if (usage === 'missing') return {}
  if (usage !== undefined) return { usage }
  const { input, output, cachedInput = 0, cacheWrite = 0, reasoning = 0 } = tokens
  const prompt = input + cachedInput + cacheWrite
  return {
    usage: {
      prompt_tokens: prompt,
      completion_tokens: output,
      total_tokens: prompt + output,
      prompt_tokens_details: { cached_tokens: cachedInput, audio_tokens: 0, ...(cacheWrite > 0 ? { cache_write_tokens: cacheWrite } : {}) },
      completion_tokens_details: { reasoning_tokens: reasoning, audio_tokens: 0 },
    },
  }
}
