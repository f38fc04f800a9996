import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import { EMPTY_USAGE, totalInput, totalOutput, type Usage, type UsageDetails } from '../../../../contract/meters.ts'
import { count, object } from './wire.ts'

/** The first count a vendor's spelling gives. */
function first(source: JsonObject, ...names: string[]): number | undefined {
  for (const name of names) {
    const value = count(source[name])
    if (value !== undefined) return value
  }
  return undefined
}

/** Where an answer or a chunk tells its usage: Moonshot streams it inside the choice, Groq once had it in `x_groq` only. */
export function rawUsage(body: JsonObject): JsonObject | undefined {
  if (isObject(body.usage)) return body.usage
  const choices = body.choices
  const choice = Array.isArray(choices) ? choices[0] : undefined
  if (isObject(choice) && isObject(choice.usage)) return choice.usage
  return isObject(body.x_groq) && isObject(body.x_groq.usage) ? body.x_groq.usage : undefined
}

/**
 * Reads a `usage` object of OpenAI or of a vendor that copies it, into disjoint meters:
 * - `prompt_tokens` includes cached tokens, whichever of three places names them (OpenAI `prompt_tokens_details.cached_tokens`, DeepSeek
 *   `prompt_cache_hit_tokens`, Moonshot `cached_tokens`); they are never added.
 * - Claude's cache keys beside `prompt_tokens` are added only where the total, or a prompt smaller than them, proves that they are not
 *   in it (contract.md W77, W78). A write total includes its 1-hour part (W79).
 * - Where the other names count more than the whole prompt and the total has room for them, they lie beside it too: else they would be
 *   sold as output a second time. Without that room they are cut to the prompt, of which they are a part.
 * - xAI and Gemini leave reasoning out of `completion_tokens`; what the total has beyond both sides is output then.
 * @returns undefined when not both sides are told; an answer whose prompt and output are both 0 tells nothing either
 */
export function readUsage(raw: Json | undefined): (Usage & UsageDetails) | undefined {
  if (!isObject(raw)) return undefined
  const total = count(raw.total_tokens)
  let prompt = first(raw, 'prompt_tokens', 'input_tokens')
  let completion = first(raw, 'completion_tokens', 'output_tokens')
  if (prompt === undefined && total !== undefined && completion !== undefined) prompt = Math.max(0, total - completion)
  if (completion === undefined && total !== undefined && prompt !== undefined) completion = Math.max(0, total - prompt)
  if (prompt === undefined || completion === undefined || prompt + completion === 0) return undefined

  const inside = object(raw.prompt_tokens_details ?? raw.input_tokens_details)
  const outside = object(raw.completion_tokens_details ?? raw.output_tokens_details)
  const explicitRead = first(raw, 'cache_read_input_tokens', 'cache_read_tokens') ?? 0
  const read = Math.max(
    explicitRead,
    count(inside.cached_tokens) ?? 0,
    count(raw.prompt_cache_hit_tokens) ?? 0,
    first(raw, 'cached_tokens', 'cached_input_tokens') ?? 0,
  )
  const write = readWrites(raw, inside)
  const reasoning = count(outside.reasoning_tokens)

  const explicit = explicitRead + write.explicit
  const named = read + write.minutes + write.hour
  const excess = total === undefined ? 0 : Math.max(0, total - prompt - completion)
  if (explicit > 0 && (excess === explicit || (excess > 0 && excess === explicit + (reasoning ?? 0)) || prompt < explicit)) {
    prompt += explicit
    if (excess > explicit) completion += excess - explicit
  } else if (write.explicit > 0 && excess === write.explicit) prompt += excess
  else if (named > prompt && excess >= named) {
    prompt += named
    completion += excess - named
  } else if (excess > 0) completion += excess
  else if (total === undefined && reasoning !== undefined && reasoning > completion) completion += reasoning

  const usage: Usage & UsageDetails = { ...EMPTY_USAGE }
  let left = prompt
  const take = (wanted: number): number => {
    const taken = Math.min(left, wanted)
    left -= taken
    return taken
  }
  usage.cachedInput = take(read)
  usage.cacheWrite1h = take(write.hour)
  usage.cacheWrite = take(write.minutes)
  usage.audioInput = take(count(inside.audio_tokens) ?? first(raw, 'audio_input_tokens') ?? 0)
  usage.imageInput = take(count(inside.image_tokens) ?? first(raw, 'image_input_tokens') ?? 0)
  usage.input = left
  usage.audioOutput = Math.min(completion, count(outside.audio_tokens) ?? first(raw, 'audio_output_tokens') ?? 0)
  usage.imageOutput = Math.min(completion - usage.audioOutput, count(outside.image_tokens) ?? first(raw, 'image_output_tokens') ?? 0)
  usage.output = completion - usage.audioOutput - usage.imageOutput
  if (reasoning !== undefined) usage.reasoning = Math.min(reasoning, usage.output)
  return usage
}

/** Cache writes by lifetime; `explicit` is what Claude's keys told, which may lie outside the prompt. */
function readWrites(raw: JsonObject, inside: JsonObject): { minutes: number; hour: number; explicit: number } {
  const split = object(raw.cache_creation)
  const hour = count(split.ephemeral_1h_input_tokens) ?? first(raw, 'cache_creation_1h_input_tokens', 'cache_write_1h_input_tokens') ?? 0
  const minutes = count(split.ephemeral_5m_input_tokens) ?? first(raw, 'cache_creation_5m_input_tokens', 'cache_write_5m_input_tokens') ?? 0
  const all = Math.max(first(raw, 'cache_creation_input_tokens', 'cache_write_input_tokens') ?? 0, minutes + hour)
  if (all > 0) return { minutes: all - hour, hour, explicit: all }
  // OpenRouter and the relays of the one-api family tell writes inside the prompt's details.
  return { minutes: first(inside, 'cache_write_tokens', 'cached_creation_tokens', 'cache_creation_tokens') ?? 0, hour: 0, explicit: 0 }
}

/** Usage of a whole answer or of a chunk. */
export function usageOf(body: JsonObject): (Usage & UsageDetails) | undefined {
  return readUsage(rawUsage(body))
}

/**
 * A usage in OpenAI's members: the prompt includes everything that went in. Cache writes, for which OpenAI has no word, are told by
 * Claude's keys and only when there are any; the total shows that they are inside the prompt.
 */
export function writeUsage(usage: Usage & UsageDetails): JsonObject {
  const prompt = totalInput(usage)
  const completion = totalOutput(usage)
  const writes = usage.cacheWrite + usage.cacheWrite1h
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: usage.cachedInput,
      audio_tokens: usage.audioInput,
      ...(usage.imageInput > 0 ? { image_tokens: usage.imageInput } : {}),
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning ?? 0,
      audio_tokens: usage.audioOutput,
      ...(usage.imageOutput > 0 ? { image_tokens: usage.imageOutput } : {}),
    },
    ...(writes > 0 ? { cache_creation_input_tokens: writes } : {}),
    ...(usage.cacheWrite1h > 0 ? { cache_creation_1h_input_tokens: usage.cacheWrite1h } : {}),
  }
}
