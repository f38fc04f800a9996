import { EMPTY_USAGE, totalInput, totalOutput } from '../../../../contract/meters.ts'
import type { Usage, UsageDetails } from '../../../../contract/meters.ts'
import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'
import { camel, count, list, member, text } from './wire.ts'

export type PartialUsage = Partial<Usage & UsageDetails>

interface Modalities {
  image: number
  audio: number
}

/**
 * The meters in a `usageMetadata`. Google's counts overlap: `promptTokenCount` includes `cachedContentTokenCount`, the details
 * include both; `thoughtsTokenCount` and `toolUsePromptTokenCount` stand beside the others and all four make `totalTokenCount`
 * (Gemini API reference, UsageMetadata). The meters are disjoint and sum to that total.
 * Only the sides the body tells are there: the first chunks of a Vertex stream have no counts at all.
 */
export function readUsage(value: Json | undefined): PartialUsage | undefined {
  if (!isObject(value)) return undefined
  const meta = camel(value)
  const prompt = count(meta.promptTokenCount)
  const usage: PartialUsage = {}
  if (prompt !== undefined) readInput(meta, prompt, usage)
  readOutput(meta, prompt, usage)
  return usage.input === undefined && usage.output === undefined ? undefined : usage
}

function readInput(meta: JsonObject, prompt: number, usage: PartialUsage): void {
  const cached = Math.min(count(meta.cachedContentTokenCount) ?? 0, prompt)
  const all = modalities(meta.promptTokensDetails)
  const fromCache = modalities(meta.cacheTokensDetails)
  const fromTools = modalities(meta.toolUsePromptTokensDetails)
  const fresh = prompt - cached + (count(meta.toolUsePromptTokenCount) ?? 0)
  const image = Math.min(Math.max(0, all.image - fromCache.image) + fromTools.image, fresh)
  const audio = Math.min(Math.max(0, all.audio - fromCache.audio) + fromTools.audio, fresh - image)
  usage.input = fresh - image - audio
  usage.cachedInput = cached
  usage.imageInput = image
  usage.audioInput = audio
}

function readOutput(meta: JsonObject, prompt: number | undefined, usage: PartialUsage): void {
  const stated = count(meta.candidatesTokenCount) ?? count(meta.responseTokenCount)
  const thoughts = count(meta.thoughtsTokenCount)
  const total = count(meta.totalTokenCount)
  const tools = count(meta.toolUsePromptTokenCount) ?? 0
  let output: number
  if (stated === undefined && thoughts === undefined) {
    // Some answers state only the prompt and the total.
    if (prompt === undefined || total === undefined) return
    output = Math.max(0, total - prompt - tools)
  } else {
    output = (stated ?? 0) + (thoughts ?? 0)
    // A server in between may have counted the thoughts into the candidates; the total proves it.
    const included =
      stated !== undefined && thoughts !== undefined && thoughts <= stated && prompt !== undefined && total === prompt + tools + stated
    if (included) output = stated
  }
  const details = modalities(meta.candidatesTokensDetails ?? meta.responseTokensDetails)
  const image = Math.min(details.image, output)
  const audio = Math.min(details.audio, output - image)
  usage.output = output - image - audio
  usage.imageOutput = image
  usage.audioOutput = audio
  if (thoughts !== undefined) usage.reasoning = Math.min(thoughts, usage.output)
}

/** `[{modality, tokenCount}]`, or the object `{imageTokens, audioTokens}` of older gateways (contract.md 6.6). */
function modalities(value: Json | undefined): Modalities {
  const found: Modalities = { image: 0, audio: 0 }
  if (isObject(value)) {
    found.image = count(value.imageTokens) ?? 0
    found.audio = count(value.audioTokens) ?? 0
    return found
  }
  for (const row of list(value)) {
    if (!isObject(row)) continue
    const modality = text(row.modality)
    const tokens = count(row.tokenCount) ?? count(row.token_count) ?? 0
    if (modality === 'IMAGE') found.image += tokens
    else if (modality === 'AUDIO') found.audio += tokens
  }
  return found
}

/** Usage of a whole body; undefined when it states no input count (contract.md 7.4: both sides or nothing). */
export function usageOf(body: JsonObject): (Usage & UsageDetails) | undefined {
  const usage = readUsage(member(body, 'usageMetadata', 'usage_metadata'))
  if (usage?.input === undefined) return undefined
  return { ...EMPTY_USAGE, ...usage }
}

/**
 * Meters as a `usageMetadata`. Google has no count for cache writes: they are part of `promptTokenCount`.
 * @param raw what the upstream stated, given back when it is Google's own
 */
export function writeUsage(usage: Usage & UsageDetails, raw: Json | undefined): JsonObject {
  if (isObject(raw) && (raw.promptTokenCount !== undefined || raw.trafficType !== undefined)) return raw
  const prompt = totalInput(usage)
  const all = totalOutput(usage)
  const thoughts = Math.min(usage.reasoning ?? 0, usage.output)
  const meta: JsonObject = { promptTokenCount: prompt, candidatesTokenCount: all - thoughts, totalTokenCount: prompt + all }
  if (usage.cachedInput > 0) meta.cachedContentTokenCount = usage.cachedInput
  if (thoughts > 0) meta.thoughtsTokenCount = thoughts
  const input = prompt - usage.imageInput - usage.audioInput
  meta.promptTokensDetails = details(input, usage.imageInput, usage.audioInput)
  if (usage.imageOutput > 0 || usage.audioOutput > 0) {
    meta.candidatesTokensDetails = details(usage.output - thoughts, usage.imageOutput, usage.audioOutput)
  }
  return meta
}

function details(plain: number, image: number, audio: number): Json[] {
  const rows: Json[] = []
  if (plain > 0) rows.push({ modality: 'TEXT', tokenCount: plain })
  if (image > 0) rows.push({ modality: 'IMAGE', tokenCount: image })
  if (audio > 0) rows.push({ modality: 'AUDIO', tokenCount: audio })
  return rows
}
