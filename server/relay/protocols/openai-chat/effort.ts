import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Loss, Reasoning, Turn } from '../canonical.ts'
import { count, text } from './wire.ts'

/**
 * Effort for a budget of thinking tokens: the highest effort whose tokens the budget reaches, by the steps of claude/thinking.ts, so
 * that a wish keeps its meaning in both directions. `minimal` is left out: only one generation of models takes it.
 */
const EFFORTS = [
  { effort: 'low', budget: 1 },
  { effort: 'medium', budget: 8192 },
  { effort: 'high', budget: 16_384 },
  { effort: 'xhigh', budget: 24_576 },
] as const

/** The efforts the API documents; Claude's `max` is the highest there is. */
const KNOWN = new Set(['none', 'minimal', 'low', 'medium', 'high', 'xhigh'])

/** OpenAI models that never think and refuse `reasoning_effort`. */
const NEVER_THINKS = /(^|\/)(gpt-3|gpt-4|chatgpt-4o)/

/**
 * Reads how much a request wants thought: OpenAI `reasoning_effort`, OpenRouter `reasoning`, and the `thinking` (DeepSeek, GLM, Kimi,
 * Doubao) or `enable_thinking` (Qwen) switches.
 */
export function readReasoning(body: JsonObject): Reasoning | undefined {
  const reasoning: Reasoning = {}
  const effort = text(body.reasoning_effort)
  if (effort !== undefined) setEffort(reasoning, effort)
  if (isObject(body.reasoning)) {
    const { effort: named, max_tokens: budget, enabled, exclude } = body.reasoning
    if (typeof named === 'string') setEffort(reasoning, named)
    setBudget(reasoning, count(budget))
    if (typeof enabled === 'boolean') reasoning.enabled = enabled
    if (exclude === true) reasoning.summary = 'none'
  }
  if (isObject(body.thinking)) {
    if (body.thinking.type === 'enabled') reasoning.enabled = true
    else if (body.thinking.type === 'disabled') reasoning.enabled = false
    else if (body.thinking.type === 'auto' || body.thinking.type === 'adaptive') reasoning.adaptive = true
    setBudget(reasoning, count(body.thinking.budget_tokens))
  }
  if (typeof body.enable_thinking === 'boolean') reasoning.enabled = body.enable_thinking
  setBudget(reasoning, count(body.thinking_budget))
  return Object.keys(reasoning).length > 0 ? reasoning : undefined
}

function setEffort(reasoning: Reasoning, effort: string): void {
  reasoning.effort = effort
  reasoning.enabled = effort !== 'none'
}

function setBudget(reasoning: Reasoning, budget: number | undefined): void {
  if (budget === undefined) return
  reasoning.budgetTokens = budget
  reasoning.enabled ??= budget > 0
}

/** The members of a request that `readReasoning` reads. */
export const REASONING_MEMBERS = ['reasoning_effort', 'reasoning', 'thinking', 'enable_thinking', 'thinking_budget'] as const

/**
 * The `reasoning_effort` of a turn another protocol spoke; the model's own default where the turn names no measure. What thoughts a
 * Chat upstream shows come without asking, so wanting to read them is no loss.
 */
export function writeEffort(turn: Turn, losses: Loss[]): string | undefined {
  const reasoning = turn.reasoning
  if (!reasoning) return undefined
  const off = reasoning.enabled === false || reasoning.effort === 'none' || reasoning.budgetTokens === 0
  const wanted = off ? 'none' : reasoning.effort === 'max' ? 'xhigh' : (reasoning.effort ?? effortOf(reasoning.budgetTokens))
  if (wanted === undefined) return undefined
  if (NEVER_THINKS.test(turn.model)) {
    if (!off) losses.push({ path: 'reasoning', reason: `${turn.model} does not think` })
    return undefined
  }
  if (KNOWN.has(wanted)) return wanted
  losses.push({ path: 'reasoning.effort', reason: `Chat Completions has no effort "${wanted}"` })
  return undefined
}

function effortOf(budget: number | undefined): string | undefined {
  if (budget === undefined) return undefined
  let found: string | undefined
  for (const row of EFFORTS) if (budget >= row.budget) found = row.effort
  return found
}
