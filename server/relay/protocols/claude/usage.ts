import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import { EMPTY_USAGE, totalInput, totalOutput, type Usage, type UsageDetails } from '../../../../contract/meters.ts'
import { splitWrites } from '../merge-usage.ts'
import { count } from './wire.ts'

/** What one `usage` object says; a stream says it in parts. Members are absent when not said. */
export interface Counts {
  input?: number
  output?: number
  cachedInput?: number
  cacheWrite?: number
  cacheWrite1h?: number
  /** All cache writes, where their lifetimes are not told (`message_delta`). */
  cacheWriteTotal?: number
  reasoning?: number
}

/**
 * Iterations whose tokens Anthropic bills but leaves out of the top-level counts: "to calculate total tokens billed, sum across all
 * entries" (platform.claude.com, compaction and advisor tool). The advisor is another, dearer model; its tokens are counted all the same.
 */
const BESIDES_TOP_LEVEL = new Set(['compaction', 'advisor_message'])

/**
 * Reads a `usage` object. `input_tokens` excludes the cache here; `cache_creation_input_tokens` is the total of both lifetimes
 * and `cache_creation` its parts, so a write is never counted twice.
 */
export function readCounts(raw: Json | undefined): Counts {
  if (!isObject(raw)) return {}
  const counts = readTopLevel(raw)
  if (!Array.isArray(raw.iterations)) return counts
  for (const iteration of raw.iterations) {
    if (!isObject(iteration) || typeof iteration.type !== 'string' || !BESIDES_TOP_LEVEL.has(iteration.type)) continue
    add(counts, complete(readTopLevel(iteration)))
  }
  return counts
}

function readTopLevel(raw: JsonObject): Counts {
  const counts: Counts = {}
  put(counts, 'input', count(raw.input_tokens))
  put(counts, 'output', count(raw.output_tokens))
  put(counts, 'cachedInput', count(raw.cache_read_input_tokens))
  if (isObject(raw.output_tokens_details)) put(counts, 'reasoning', count(raw.output_tokens_details.thinking_tokens))
  const total = count(raw.cache_creation_input_tokens)
  const split = isObject(raw.cache_creation) ? raw.cache_creation : undefined
  // Some gateways write the 1-hour part flat beside the total.
  const hour = count(split?.ephemeral_1h_input_tokens) ?? count(raw.cache_creation_1h_input_tokens)
  const minutes = count(split?.ephemeral_5m_input_tokens)
  if (hour === undefined && minutes === undefined) {
    put(counts, 'cacheWriteTotal', total)
  } else {
    counts.cacheWrite1h = hour ?? Math.max(0, (total ?? 0) - (minutes ?? 0))
    counts.cacheWrite = Math.max(minutes ?? 0, (total ?? 0) - counts.cacheWrite1h)
  }
  return counts
}

function put(counts: Counts, key: keyof Counts, value: number | undefined): void {
  if (value !== undefined) counts[key] = value
}

function add(counts: Counts, more: Usage & UsageDetails): void {
  if (counts.cacheWriteTotal !== undefined) counts.cacheWriteTotal += more.cacheWrite + more.cacheWrite1h
  else {
    counts.cacheWrite = (counts.cacheWrite ?? 0) + more.cacheWrite
    counts.cacheWrite1h = (counts.cacheWrite1h ?? 0) + more.cacheWrite1h
  }
  counts.input = (counts.input ?? 0) + more.input
  counts.output = (counts.output ?? 0) + more.output
  counts.cachedInput = (counts.cachedInput ?? 0) + more.cachedInput
  if (more.reasoning) counts.reasoning = (counts.reasoning ?? 0) + more.reasoning
}

/**
 * The counts of a `message_delta`: cumulative, so they replace those of `message_start`. A zero on the input side is not
 * believed over an earlier count: gateways that only know the output there write zeros for the rest.
 */
export function readDeltaCounts(raw: Json | undefined): Counts {
  const counts = readCounts(raw)
  for (const key of ['input', 'cachedInput', 'cacheWriteTotal'] as const) if (counts[key] === 0) delete counts[key]
  if (!counts.cacheWrite && !counts.cacheWrite1h) {
    delete counts.cacheWrite
    delete counts.cacheWrite1h
  }
  return counts
}

/** Merges later counts over earlier ones, field by field. */
export function mergeCounts(into: Counts, later: Counts): void {
  const { cacheWriteTotal, ...plain } = later
  Object.assign(into, plain)
  if (cacheWriteTotal !== undefined) Object.assign(into, splitWrites(cacheWriteTotal, into))
}

/** The counts as a usage; undefined until both sides were told, so that half a usage is never billed as a whole one. */
export function toUsage(counts: Counts): (Usage & UsageDetails) | undefined {
  return counts.input === undefined || counts.output === undefined ? undefined : complete(counts)
}

function complete(counts: Counts): Usage & UsageDetails {
  const usage: Usage & UsageDetails = { ...EMPTY_USAGE }
  usage.input = counts.input ?? 0
  usage.output = counts.output ?? 0
  usage.cachedInput = counts.cachedInput ?? 0
  Object.assign(
    usage,
    counts.cacheWriteTotal === undefined
      ? { cacheWrite: counts.cacheWrite ?? 0, cacheWrite1h: counts.cacheWrite1h ?? 0 }
      : splitWrites(counts.cacheWriteTotal, counts),
  )
  if (counts.reasoning !== undefined) usage.reasoning = Math.min(counts.reasoning, usage.output)
  return usage
}

/** Usage of a whole Messages answer; undefined when it does not tell both sides. */
export function usageOf(body: JsonObject): (Usage & UsageDetails) | undefined {
  return toUsage(readCounts(body.usage))
}

/** A usage in Claude's members. Images and sound have no count of their own here and are tokens like any other. */
export function writeUsage(usage: Usage & UsageDetails): JsonObject {
  const written = usage.cacheWrite + usage.cacheWrite1h
  return {
    input_tokens: totalInput(usage) - usage.cachedInput - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: usage.cachedInput,
    cache_creation: { ephemeral_5m_input_tokens: usage.cacheWrite, ephemeral_1h_input_tokens: usage.cacheWrite1h },
    output_tokens: totalOutput(usage),
    ...(usage.reasoning === undefined ? {} : { output_tokens_details: { thinking_tokens: usage.reasoning } }),
  }
}

/**
 * The counts of the final `message_delta`. Its documented members do not split the writes; a 1-hour part is told all the same,
 * since without it the customer could not check the bill.
 */
export function writeDeltaUsage(usage: Usage & UsageDetails): JsonObject {
  const whole = writeUsage(usage)
  if (usage.cacheWrite1h === 0) delete whole.cache_creation
  return whole
}
