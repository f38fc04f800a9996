import { isObject, type JsonObject } from '../../../../contract/json.ts'
import type { Loss, Reasoning, ToolChoice } from '../canonical.ts'
import { count, DEFAULT_MAX_TOKENS, rest, text } from './wire.ts'

const THINKING_MEMBERS = new Set(['type', 'budget_tokens', 'display'])
/** Below this the API refuses a thinking budget. */
const MIN_BUDGET = 1024

/**
 * Effort to tokens of thinking, for models that take only a budget, and back for those that take only an effort: a budget has the
 * highest effort whose tokens it reaches. Claude has no `minimal`; it means the least there is.
 */
const EFFORTS = [
  { effort: 'minimal', claude: 'low', budget: MIN_BUDGET },
  { effort: 'low', claude: 'low', budget: 4096 },
  { effort: 'medium', claude: 'medium', budget: 8192 },
  { effort: 'high', claude: 'high', budget: 16_384 },
  { effort: 'xhigh', claude: 'xhigh', budget: 24_576 },
  { effort: 'max', claude: 'max', budget: 32_768 },
] as const

/**
 * Models before Claude 4.6 think only by a budget (`thinking.type` "enabled"); later ones choose themselves ("adaptive", guided by
 * `output_config.effort`) and the newest refuse a budget. A Claude we do not know is taken for a newer one; other vendors' models behind
 * this API copied the budget.
 */
const BUDGET_ONLY = /claude-3|claude-(opus|sonnet|haiku)-4(-[015](\D|$)|-2025|@|$)/

function takesBudget(model: string): boolean {
  return !model.includes('claude') || BUDGET_ONLY.test(model)
}

/** Reads `thinking` and the effort of `output_config`. `keep` is what the canonical reasoning has no name for. */
export function readThinking(thinking: unknown, effort: unknown): { reasoning?: Reasoning; keep?: JsonObject } {
  const reasoning: Reasoning = {}
  let keep: JsonObject | undefined
  if (isObject(thinking)) {
    if (thinking.type === 'enabled') {
      const budget = count(thinking.budget_tokens)
      Object.assign(reasoning, { enabled: true }, budget === undefined ? undefined : { budgetTokens: budget })
    } else if (thinking.type === 'adaptive') {
      Object.assign(reasoning, { enabled: true, adaptive: true })
    } else if (thinking.type === 'disabled') {
      reasoning.enabled = false
    }
    const known = reasoning.enabled !== undefined
    if (known) keep = rest(thinking, THINKING_MEMBERS)
    else keep = thinking
    const display = known ? text(thinking.display) : undefined
    if (display !== undefined) reasoning.summary = display
  }
  if (typeof effort === 'string') reasoning.effort = effort
  return { ...(Object.keys(reasoning).length > 0 ? { reasoning } : {}), ...(keep ? { keep } : {}) }
}

/** Writes reasoning back exactly as `readThinking` found it. */
export function writeNativeThinking(reasoning: Reasoning | undefined, keep: unknown): { thinking?: JsonObject; effort?: string } {
  const extra = isObject(keep) ? keep : undefined
  const found: { thinking?: JsonObject; effort?: string } = {}
  if (reasoning?.effort !== undefined) found.effort = reasoning.effort
  const display = reasoning?.summary === undefined ? {} : { display: reasoning.summary }
  if (reasoning?.adaptive) found.thinking = { type: 'adaptive', ...display, ...extra }
  else if (reasoning?.enabled === false) found.thinking = { type: 'disabled', ...display, ...extra }
  else if (reasoning?.enabled) {
    const budget = reasoning.budgetTokens === undefined ? {} : { budget_tokens: reasoning.budgetTokens }
    found.thinking = { type: 'enabled', ...budget, ...display, ...extra }
  } else if (extra) found.thinking = extra
  return found
}

/** What a foreign turn must know of itself before Claude may be asked to think. */
export interface ThinkingContext {
  model: string
  maxOutputTokens?: number
  toolChoice?: ToolChoice
  /** The talk is in the middle of a tool use whose thoughts Claude did not sign: a budget is then refused. */
  openToolUse: boolean
}

/**
 * Asks Claude to think as a turn of another protocol wishes. The API refuses thinking together with a forced tool, with a cap too
 * small for the least budget, and (by budget) with an unsigned tool use at the end of the talk; then the wish is lost, not the call.
 */
export function writeForeignThinking(
  reasoning: Reasoning | undefined,
  context: ThinkingContext,
  losses: Loss[],
): { thinking?: JsonObject; effort?: string; maxTokens?: number } {
  if (!reasoning) return {}
  const { effort } = reasoning
  if (reasoning.enabled === false || effort === 'none' || reasoning.budgetTokens === 0) return { thinking: { type: 'disabled' } }
  const asked = reasoning.enabled || reasoning.adaptive || effort !== undefined || reasoning.budgetTokens !== undefined
  // Wanting to read thoughts is no wish that there be any.
  if (!asked) return {}
  const lost = (reason: string) => {
    losses.push({ path: 'reasoning', reason })
    return {}
  }
  const forced =
    context.toolChoice?.type === 'required' ||
    context.toolChoice?.type === 'tool' ||
    (context.toolChoice?.type === 'allowed' && context.toolChoice.mode === 'required')
  if (forced) return lost('Claude does not think when it is forced to use a tool')
  const display = !reasoning.summary || reasoning.summary === 'none' ? {} : { display: 'summarized' }
  if (!takesBudget(context.model)) {
    const row = EFFORTS.find((each) => each.effort === effort)
    if (effort !== undefined && !row) losses.push({ path: 'reasoning.effort', reason: `Claude has no effort "${effort}"` })
    const level = row?.claude ?? (reasoning.budgetTokens ? effortOf(reasoning.budgetTokens) : undefined)
    return { thinking: { type: 'adaptive', ...display }, ...(level ? { effort: level } : {}) }
  }
  if (context.openToolUse && context.model.includes('claude')) {
    return lost('Claude did not sign the thoughts before the open tool use and would refuse to think on')
  }
  const wanted = reasoning.budgetTokens ?? EFFORTS.find((each) => each.effort === effort)?.budget ?? MIN_BUDGET * 8
  const cap = context.maxOutputTokens
  if (cap !== undefined && cap <= MIN_BUDGET) return lost(`Claude thinks only with more than ${MIN_BUDGET} output tokens`)
  const budget = Math.max(MIN_BUDGET, cap === undefined ? wanted : Math.min(wanted, cap - 1))
  return {
    thinking: { type: 'enabled', budget_tokens: budget },
    // Thinking counts toward the cap; with no cap of the caller there must be room for the answer too.
    ...(cap === undefined ? { maxTokens: budget + DEFAULT_MAX_TOKENS } : {}),
  }
}

function effortOf(budget: number): string {
  let found: string = EFFORTS[0].claude
  for (const row of EFFORTS) if (budget >= row.budget) found = row.claude
  return found
}
