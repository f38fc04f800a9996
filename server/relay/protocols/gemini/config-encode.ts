import { isObject } from '../../../../contract/json.ts'
import type { JsonObject } from '../../../../contract/json.ts'
import type { Loss, Reasoning, Turn } from '../canonical.ts'
import { sameNumbers } from './config.ts'
import { toOpenApiSchema } from './schema.ts'
import { GEMINI, isBeforeGemini3, needsOpenApiSchema } from './wire.ts'

interface Effort {
  level: string
  budget: number
}

/**
 * Effort as a level (from Gemini 3 on) and as a budget (before), after Google's own table for `reasoning_effort`
 * (Gemini API, OpenAI compatibility). The highest efforts of others are Google's highest.
 */
const efforts: { [effort: string]: Effort | undefined } = {
  minimal: { level: 'MINIMAL', budget: 1024 },
  low: { level: 'LOW', budget: 1024 },
  medium: { level: 'MEDIUM', budget: 8192 },
  high: { level: 'HIGH', budget: 24_576 },
  xhigh: { level: 'HIGH', budget: 24_576 },
  max: { level: 'HIGH', budget: 24_576 },
}

/** The largest budgets Gemini 2.5 takes (Gemini API, Thinking); a larger one is refused. */
const MAX_BUDGET = { pro: 32_768, other: 24_576 }
/** Gemini 2.5 Pro cannot switch thinking off. */
const MIN_BUDGET_PRO = 128

/** `generationConfig` of a request. */
export function encodeConfig(turn: Turn, losses: Loss[]): JsonObject {
  const config: JsonObject = {}
  for (const [name, field] of Object.entries(sameNumbers)) {
    if (turn[field] !== undefined) config[name] = turn[field]
  }
  if (turn.stop && turn.stop.length > 0) config.stopSequences = turn.stop
  if (turn.logprobs !== undefined) config.responseLogprobs = turn.logprobs
  if (turn.modalities && turn.modalities.length > 0) config.responseModalities = turn.modalities.map((modality) => modality.toUpperCase())
  encodeOutput(turn, config, losses)
  const thinking = turn.reasoning ? encodeThinking(turn, turn.reasoning, losses) : undefined
  if (thinking && Object.keys(thinking).length > 0) config.thinkingConfig = thinking
  if (turn.verbosity !== undefined && turn.verbosity !== 'medium') {
    losses.push({ path: 'verbosity', reason: 'Gemini has no setting for the length of answers' })
  }
  if (turn.logitBias && Object.keys(turn.logitBias).length > 0) losses.push({ path: 'logit_bias', reason: 'Gemini takes no token weights' })
  return config
}

function encodeOutput(turn: Turn, config: JsonObject, losses: Loss[]): void {
  const output = turn.output
  if (!output) return
  const own = turn.ext?.[GEMINI]
  if (output.type === 'text') {
    // Plain text is the default; written only where the request said so itself.
    if (own) config.responseMimeType = 'text/plain'
    return
  }
  if (own?.__noMime !== true) config.responseMimeType = 'application/json'
  if (output.type === 'json') return
  if (isObject(own?.__responseSchema)) config.responseSchema = own.__responseSchema
  else if (needsOpenApiSchema(turn.model)) {
    const { schema, dropped } = toOpenApiSchema(output.schema)
    config.responseSchema = schema
    for (const keyword of dropped)
      losses.push({ path: `response_format.schema.${keyword}`, reason: 'this model reads an OpenAPI subset only' })
  } else {
    const described = output.description !== undefined && output.schema.description === undefined
    config.responseJsonSchema = described ? { ...output.schema, description: output.description } : output.schema
  }
}

function encodeThinking(turn: Turn, reasoning: Reasoning, losses: Loss[]): JsonObject {
  if (turn.ext?.[GEMINI]) return ownThinking(reasoning)
  if (reasoning.effort !== undefined && reasoning.effort !== 'none' && !efforts[reasoning.effort]) {
    losses.push({ path: 'reasoning.effort', reason: 'Gemini has no such effort' })
  }
  const thinking: JsonObject = isBeforeGemini3(turn.model)
    ? budgetOf(turn.model, reasoning, losses)
    : levelOf(turn.model, reasoning, losses)
  const off = reasoning.enabled === false || reasoning.effort === 'none'
  const wanted = reasoning.summary === undefined ? reasoning.enabled === true : !['none', 'omitted'].includes(reasoning.summary)
  if (wanted && !off) thinking.includeThoughts = true
  return thinking
}

function ownThinking(reasoning: Reasoning): JsonObject {
  const thinking: JsonObject = {}
  if (reasoning.budgetTokens !== undefined) thinking.thinkingBudget = reasoning.budgetTokens
  else if (reasoning.adaptive) thinking.thinkingBudget = -1
  else if (reasoning.enabled === false) thinking.thinkingBudget = 0
  if (reasoning.effort !== undefined) thinking.thinkingLevel = reasoning.effort.toUpperCase()
  if (reasoning.summary !== undefined) thinking.includeThoughts = true
  return thinking
}

function budgetOf(model: string, reasoning: Reasoning, losses: Loss[]): JsonObject {
  const pro = model.includes('pro')
  if (reasoning.enabled === false || reasoning.effort === 'none') {
    if (pro) losses.push({ path: 'reasoning', reason: 'this model cannot switch thinking off; it gets the smallest budget' })
    return { thinkingBudget: pro ? MIN_BUDGET_PRO : 0 }
  }
  const effort = reasoning.effort === undefined ? undefined : efforts[reasoning.effort]
  const budget = reasoning.budgetTokens ?? effort?.budget
  if (budget !== undefined) return { thinkingBudget: Math.min(budget, pro ? MAX_BUDGET.pro : MAX_BUDGET.other) }
  return reasoning.adaptive ? { thinkingBudget: -1 } : {}
}

/** A budget becomes the level whose own budget covers it; `adaptive` is what a model without a level does. */
function levelOf(model: string, reasoning: Reasoning, losses: Loss[]): JsonObject {
  const pro = model.includes('pro')
  if (reasoning.enabled === false || reasoning.effort === 'none') {
    losses.push({ path: 'reasoning', reason: 'this model cannot switch thinking off; it gets its lowest level' })
    return { thinkingLevel: pro ? 'LOW' : 'MINIMAL' }
  }
  const budget = reasoning.budgetTokens
  const byBudget = budget === undefined ? undefined : budget <= 1024 ? efforts.low : budget <= 8192 ? efforts.medium : efforts.high
  const level = (reasoning.effort === undefined ? undefined : efforts[reasoning.effort])?.level ?? byBudget?.level
  if (level === undefined) return {}
  // Pro has no MINIMAL, and its first generation no MEDIUM.
  if (pro && level === 'MINIMAL') return { thinkingLevel: 'LOW' }
  if (level === 'MEDIUM' && /gemini-3-pro/.test(model)) return { thinkingLevel: 'HIGH' }
  return { thinkingLevel: level }
}
