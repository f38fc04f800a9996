import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { OutputFormat, Reasoning, Turn } from '../canonical.ts'
import { keep } from './extra.ts'
import { toJsonSchema } from './schema.ts'
import { camel, list, number, text } from './wire.ts'

/** generationConfig member -> member of the turn, where both are the same number. */
export const sameNumbers = {
  maxOutputTokens: 'maxOutputTokens',
  temperature: 'temperature',
  topP: 'topP',
  topK: 'topK',
  seed: 'seed',
  candidateCount: 'n',
  presencePenalty: 'presencePenalty',
  frequencyPenalty: 'frequencyPenalty',
  logprobs: 'topLogprobs',
} as const satisfies Record<string, keyof Turn>

const PATH = 'generationConfig'

/** Reads `generationConfig` into the turn; what has no name there goes to `ext` under its path. */
export function decodeConfig(raw: JsonObject, turn: Turn, ext: JsonObject): void {
  const config = { ...camel(raw) }
  if (Object.keys(config).length === 0) keep(ext, PATH, {})
  for (const [name, field] of Object.entries(sameNumbers)) {
    const value = number(config[name])
    if (value === undefined) continue
    turn[field] = value
    delete config[name]
  }
  if (Array.isArray(config.stopSequences) && config.stopSequences.length > 0) {
    turn.stop = config.stopSequences.filter((stop) => typeof stop === 'string')
    delete config.stopSequences
  }
  if (typeof config.responseLogprobs === 'boolean') {
    turn.logprobs = config.responseLogprobs
    delete config.responseLogprobs
  }
  if (Array.isArray(config.responseModalities) && config.responseModalities.length > 0) {
    turn.modalities = config.responseModalities.filter((modality) => typeof modality === 'string').map((modality) => modality.toLowerCase())
    delete config.responseModalities
  }
  const output = decodeOutput(config, ext)
  if (output) turn.output = output
  if (isObject(config.thinkingConfig)) {
    const reasoning = decodeThinking(config.thinkingConfig, ext)
    if (reasoning) turn.reasoning = reasoning
    delete config.thinkingConfig
  }
  for (const [name, value] of Object.entries(config)) keep(ext, `${PATH}.${name}`, value)
}

/** The answer's form; takes what it understood out of `config`. */
function decodeOutput(config: JsonObject, ext: JsonObject): OutputFormat | undefined {
  const { responseMimeType, responseSchema, responseJsonSchema } = config
  const mime = text(responseMimeType)
  if (mime === 'text/plain' && !isObject(responseSchema) && !isObject(responseJsonSchema)) {
    delete config.responseMimeType
    return { type: 'text' }
  }
  if (mime !== undefined && mime !== 'application/json') return undefined
  const schema = isObject(responseJsonSchema) ? responseJsonSchema : isObject(responseSchema) ? toJsonSchema(responseSchema) : undefined
  if (!schema && mime === undefined) return undefined
  delete config.responseMimeType
  if (!schema) return { type: 'json' }
  if (mime === undefined) ext.__noMime = true
  if (isObject(responseJsonSchema)) delete config.responseJsonSchema
  else {
    ext.__responseSchema = responseSchema
    delete config.responseSchema
  }
  return { type: 'json_schema', schema }
}

/**
 * `thinkingBudget` -1 lets the model choose, 0 switches thinking off (Gemini API, Thinking). A level of
 * THINKING_LEVEL_UNSPECIFIED and `includeThoughts: false` ask for what happens anyway.
 */
function decodeThinking(raw: JsonObject, ext: JsonObject): Reasoning | undefined {
  const { includeThoughts, thinkingBudget, thinkingLevel, ...rest } = camel(raw)
  const path = `${PATH}.thinkingConfig`
  if (Object.keys(raw).length === 0) keep(ext, path, {})
  for (const [name, value] of Object.entries(rest)) keep(ext, `${path}.${name}`, value)
  const reasoning: Reasoning = {}
  const budget = number(thinkingBudget)
  if (budget === -1) reasoning.adaptive = true
  else if (budget === 0) reasoning.enabled = false
  else if (budget !== undefined && budget > 0) {
    reasoning.enabled = true
    reasoning.budgetTokens = budget
  } else if (thinkingBudget !== undefined) keep(ext, `${path}.thinkingBudget`, thinkingBudget)
  if (typeof thinkingLevel === 'string' && /^[A-Z]+$/.test(thinkingLevel)) reasoning.effort = thinkingLevel.toLowerCase()
  else if (thinkingLevel !== undefined) ext[`_${path}.thinkingLevel`] = thinkingLevel
  if (includeThoughts === true) reasoning.summary = 'auto'
  else if (includeThoughts !== undefined) ext[`_${path}.includeThoughts`] = includeThoughts
  return Object.keys(reasoning).length === 0 ? undefined : reasoning
}

/** The names of functions in a list; other items are left out. */
export function names(value: Json | undefined): string[] {
  return list(value).filter((name) => typeof name === 'string')
}
