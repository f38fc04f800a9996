import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Loss, Reasoning, Turn } from '../canonical.ts'
import { leftovers, OWN, ownMembers, remembered, text } from './wire.ts'

const REASONING_MEMBERS = new Set(['effort', 'summary'])

/**
 * Effort for a budget of thinking tokens: the highest effort whose tokens the budget reaches, by the steps of claude/thinking.ts and
 * openai-chat/effort.ts, so that a wish keeps its meaning in every direction.
 */
const EFFORTS = [
  { effort: 'low', budget: 1 },
  { effort: 'medium', budget: 8192 },
  { effort: 'high', budget: 16_384 },
  { effort: 'xhigh', budget: 24_576 },
] as const

/** The efforts the API documents; which of them a model takes differs. */
const KNOWN = new Set(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])
const SUMMARIES = new Set(['auto', 'concise', 'detailed'])
/** Words of other protocols for "show me no thoughts". */
const NO_SUMMARY = new Set(['none', 'omitted', 'off', 'false'])

/** OpenAI models that never think and refuse both `reasoning` and `include: ["reasoning.encrypted_content"]`. */
const NEVER_THINKS = /(^|[/:])(gpt-3|gpt-4|chatgpt-4o)/
/** OpenAI models that always think and refuse `temperature` and `top_p` ("not supported with this model"). */
const ALWAYS_THINKS = /(^|[/:])(o[1-9](-|$)|gpt-5(-(?!chat)|$))/

/** Whether OpenAI's model of this name takes no wish for thought at all. */
export function neverThinks(model: string): boolean {
  return NEVER_THINKS.test(model)
}

/** Whether OpenAI's model of this name refuses sampling parameters since it always thinks. */
export function alwaysThinks(model: string): boolean {
  return ALWAYS_THINKS.test(model)
}

/** Reads `reasoning`. `asked` is what the canonical reasoning has no name for, `memory` how it was written. */
export function readReasoningWish(value: Json | undefined): { reasoning?: Reasoning; asked?: JsonObject; memory?: JsonObject } {
  if (!isObject(value)) return {}
  const reasoning: Reasoning = {}
  const effort = text(value.effort)
  if (effort !== undefined) {
    reasoning.effort = effort
    reasoning.enabled = effort !== 'none'
  }
  const summary = text(value.summary)
  if (summary !== undefined) reasoning.summary = summary
  const kept = leftovers(value, REASONING_MEMBERS)
  const asked = ownMembers({ [OWN]: { ...kept, _null: undefined } })
  return {
    ...(Object.keys(reasoning).length > 0 ? { reasoning } : {}),
    ...(Object.keys(asked).length > 0 ? { asked } : {}),
    memory: kept,
  }
}

/** Writes `reasoning` back as `readReasoningWish` found it. */
export function writeNativeReasoning(turn: Turn): JsonObject | undefined {
  const memory = remembered(turn.ext, 'reasoning')
  const { effort, summary } = turn.reasoning ?? {}
  if (!isObject(memory) && effort === undefined && summary === undefined) return undefined
  return {
    ...(isObject(memory) ? ownMembers({ [OWN]: memory }) : {}),
    ...(effort === undefined ? {} : { effort }),
    ...(summary === undefined ? {} : { summary }),
  }
}

/** Asks for thought as a turn of another protocol wishes; the model's own default where it names no measure. */
export function writeForeignReasoning(turn: Turn, losses: Loss[]): JsonObject | undefined {
  const wish = turn.reasoning
  if (!wish) return undefined
  const off = wish.enabled === false || wish.effort === 'none' || wish.budgetTokens === 0
  let effort = off ? 'none' : (wish.effort ?? effortOf(wish.budgetTokens))
  if (neverThinks(turn.model)) {
    const asked = wish.enabled || wish.adaptive || wish.effort !== undefined || wish.budgetTokens !== undefined
    if (!off && asked) losses.push({ path: 'reasoning', reason: `${turn.model} does not think` })
    return undefined
  }
  if (effort !== undefined && !KNOWN.has(effort)) {
    losses.push({ path: 'reasoning.effort', reason: `OpenAI has no effort "${effort}"` })
    effort = undefined
  }
  const asked = wish.summary
  const summary = off || asked === undefined || NO_SUMMARY.has(asked) ? undefined : SUMMARIES.has(asked) ? asked : 'auto'
  if (effort === undefined && summary === undefined) return undefined
  return { ...(effort === undefined ? {} : { effort }), ...(summary === undefined ? {} : { summary }) }
}

function effortOf(budget: number | undefined): string | undefined {
  if (budget === undefined) return undefined
  let found: string | undefined
  for (const row of EFFORTS) if (budget >= row.budget) found = row.effort
  return found
}
