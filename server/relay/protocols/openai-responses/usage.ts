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

interface Writes {
  minutes: number
  hour: number
  explicit: number
}

/**
 * Cache writes by lifetime. OpenAI tells them inside the input's details, where the 12-hour writes are the dearer ones and count as
 * 1-hour writes; `explicit` is what Claude's keys told instead, which may lie outside the input.
 */
function readWrites(raw: JsonObject, inside: JsonObject): Writes {
  const split = object(raw.cache_creation)
  const hour = count(split.ephemeral_1h_input_tokens) ?? first(raw, 'cache_creation_1h_input_tokens', 'cache_write_1h_input_tokens') ?? 0
  const within = first(inside, 'cache_write_tokens', 'cache_creation_tokens')
  if (within) {
    const long = Math.min(within, count(object(inside.cache_write_tokens_details).ttl_12h_tokens) ?? hour)
    return { minutes: within - long, hour: long, explicit: 0 }
  }
  const minutes = count(split.ephemeral_5m_input_tokens) ?? first(raw, 'cache_creation_5m_input_tokens', 'cache_write_5m_input_tokens') ?? 0
  const all = Math.max(first(raw, 'cache_creation_input_tokens', 'cache_write_input_tokens') ?? 0, minutes + hour)
  return { minutes: all - hour, hour, explicit: all }
}

/**
 * Reads a `usage` object into disjoint meters: `input_tokens` includes cached, written, image and audio tokens, `output_tokens`
 * includes reasoning. Claude's explicit cache keys of a vendor are added only where the total, or an input smaller than them, proves
 * that they are not in it (contract.md W77, W78); a write total includes its 1-hour part (W79). What a stated total has beyond both
 * sides is output: some vendors leave reasoning out of it.
 * @returns undefined when not both sides are told; an answer whose input and output are both 0 tells nothing either
 */
export function readUsage(value: Json | undefined): (Usage & UsageDetails) | undefined {
  if (!isObject(value)) return undefined
  const total = count(value.total_tokens)
  let input = first(value, 'input_tokens', 'prompt_tokens')
  let output = first(value, 'output_tokens', 'completion_tokens')
  if (input === undefined && total !== undefined && output !== undefined) input = Math.max(0, total - output)
  if (output === undefined && total !== undefined && input !== undefined) output = Math.max(0, total - input)
  if (input === undefined || output === undefined || input + output === 0) return undefined

  const inside = object(value.input_tokens_details ?? value.prompt_tokens_details)
  const outside = object(value.output_tokens_details ?? value.completion_tokens_details)
  const explicitRead = first(value, 'cache_read_input_tokens', 'cache_read_tokens') ?? 0
  const read = Math.max(explicitRead, count(inside.cached_tokens) ?? 0, first(value, 'cached_input_tokens', 'cached_tokens') ?? 0)
  const write = readWrites(value, inside)
  const reasoning = count(outside.reasoning_tokens)

  const explicit = explicitRead + write.explicit
  const named = read + write.minutes + write.hour
  const excess = total === undefined ? 0 : Math.max(0, total - input - output)
  if (explicit > 0 && (excess === explicit || input < explicit)) {
    input += explicit
    if (excess > explicit) output += excess - explicit
  } else if (write.explicit > 0 && excess === write.explicit) input += excess
  else if (named > input && excess >= named) {
    // More was named than the whole input has, and the total has room for it: it lies beside the input and is no output.
    input += named
    output += excess - named
  } else output += excess

  const usage: Usage & UsageDetails = { ...EMPTY_USAGE }
  let left = input
  const take = (wanted: number): number => {
    const taken = Math.min(left, wanted)
    left -= taken
    return taken
  }
  usage.cachedInput = take(read)
  usage.cacheWrite1h = take(write.hour)
  usage.cacheWrite = take(write.minutes)
  usage.audioInput = take(count(inside.audio_tokens) ?? first(value, 'audio_input_tokens') ?? 0)
  usage.imageInput = take(count(inside.image_tokens) ?? first(value, 'image_input_tokens') ?? 0)
  usage.input = left
  left = output
  usage.audioOutput = take(count(outside.audio_tokens) ?? first(value, 'audio_output_tokens') ?? 0)
  usage.imageOutput = take(count(outside.image_tokens) ?? first(value, 'image_output_tokens') ?? 0)
  usage.output = left
  if (reasoning !== undefined) usage.reasoning = Math.min(reasoning, usage.output)
  return usage
}

/** Usage of a whole answer. */
export function usageOf(body: JsonObject): (Usage & UsageDetails) | undefined {
  return readUsage(body.usage)
}

/**
 * A usage in OpenAI's members: the input includes everything that went in. Writes that live for an hour, for which OpenAI has no word,
 * are told by the key other gateways use, inside the total of all writes.
 */
export function writeUsage(usage: Usage & UsageDetails): JsonObject {
  const input = totalInput(usage)
  const output = totalOutput(usage)
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: usage.cachedInput,
      cache_write_tokens: usage.cacheWrite + usage.cacheWrite1h,
      ...(usage.audioInput > 0 ? { audio_tokens: usage.audioInput } : {}),
      ...(usage.imageInput > 0 ? { image_tokens: usage.imageInput } : {}),
    },
    output_tokens: output,
    output_tokens_details: {
      reasoning_tokens: usage.reasoning ?? 0,
      ...(usage.audioOutput > 0 ? { audio_tokens: usage.audioOutput } : {}),
      ...(usage.imageOutput > 0 ? { image_tokens: usage.imageOutput } : {}),
    },
    total_tokens: input + output,
    ...(usage.cacheWrite1h > 0 ? { cache_creation_1h_input_tokens: usage.cacheWrite1h } : {}),
  }
}
