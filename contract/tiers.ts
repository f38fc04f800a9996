import { tierConditions, type PriceTier, type TierCondition } from './quote.ts'
import { words } from './words.ts'

/** Other words for the counts a tier may look at (contract.md 7.2). */
const synonyms = words<TierCondition>({
  full_input: 'full_input_tokens',
  full_input_tokens: 'full_input_tokens',
  total_input: 'full_input_tokens',
  total_input_tokens: 'full_input_tokens',
  context: 'full_input_tokens',
  context_tokens: 'full_input_tokens',
  prompt: 'full_input_tokens',
  prompt_tokens: 'full_input_tokens',
  input_tokens: 'full_input_tokens',
  billable_input: 'billable_input_tokens',
  billable_input_tokens: 'billable_input_tokens',
  billable_prompt_tokens: 'billable_input_tokens',
  billable_output: 'billable_output_tokens',
  billable_output_tokens: 'billable_output_tokens',
  completion: 'billable_output_tokens',
  completion_tokens: 'billable_output_tokens',
  output_tokens: 'billable_output_tokens',
  full_request: 'full_request_tokens',
  full_request_tokens: 'full_request_tokens',
  request_tokens: 'full_request_tokens',
  total_tokens: 'full_request_tokens',
})

/** The canonical name of a condition; `current_tokens`, "" and unknown words mean the meter's own count. */
export function tierConditionOf(text: string): TierCondition {
  return (
    synonyms[
      text
        .trim()
        .toLowerCase()
        .replace(/[-\s]+/g, '_')
    ] ?? ''
  )
}

function rank({ condition }: PriceTier): number {
  return tierConditions.indexOf(condition)
}

/**
 * A tier list as it is stored (contract.md 7.2): negative thresholds and prices dropped, of the same condition and
 * threshold the last one kept, in the order of conditions, then of thresholds.
 */
export function normaliseTiers(tiers: readonly PriceTier[]): PriceTier[] {
  const kept = new Map<string, PriceTier>()
  for (const tier of tiers) {
    if (tier.minTokens >= 0 && tier.price >= 0n) kept.set(`${tier.condition} ${tier.minTokens}`, tier)
  }
  return [...kept.values()].toSorted((a, b) => rank(a) - rank(b) || a.minTokens - b.minTokens)
}
