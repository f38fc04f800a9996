import { expect, test } from 'bun:test'
import { money } from './money.ts'
import type { PriceTier, TierCondition } from './quote.ts'
import { normaliseTiers, tierConditionOf } from './tiers.ts'

const tier = (condition: TierCondition, minTokens: number, price = 1n): PriceTier => ({ condition, minTokens, price: money(price) })

test('words for conditions become their canonical names, unknown ones mean the meter itself', () => {
  const words = [
    'full_input',
    'Context-Tokens',
    'prompt_tokens',
    'billable_input',
    'completion_tokens',
    'billable_output',
    'full_request',
    'current_tokens',
    'whatever',
    '',
  ]
  expect(words.map(tierConditionOf)).toEqual([
    'full_input_tokens',
    'full_input_tokens',
    'full_input_tokens',
    'billable_input_tokens',
    'billable_output_tokens',
    'billable_output_tokens',
    'full_request_tokens',
    '',
    '',
    '',
  ])
})

test('every word of the contract for a count means that count, in any case, with blanks or hyphens', () => {
  const table: Record<Exclude<TierCondition, ''>, string[]> = {
    full_input_tokens: [
      'full_input',
      'full_input_tokens',
      'total_input',
      'total_input_tokens',
      'context',
      'context_tokens',
      'prompt',
      'prompt_tokens',
      'input_tokens',
    ],
    billable_input_tokens: ['billable_input', 'billable_input_tokens', 'billable_prompt_tokens'],
    billable_output_tokens: ['billable_output', 'billable_output_tokens', 'completion', 'completion_tokens', 'output_tokens'],
    full_request_tokens: ['full_request', 'full_request_tokens', 'request_tokens', 'total_tokens'],
  }
  for (const [condition, words] of Object.entries(table))
    for (const word of words)
      for (const written of [word, word.toUpperCase(), ` ${word.replaceAll('_', '-')} `, word.replaceAll('_', '  ')])
        expect([written, tierConditionOf(written)]).toEqual([written, condition as TierCondition])
  for (const odd of ['constructor', '__proto__', 'toString', 'input']) expect(tierConditionOf(odd)).toBe('')
})

test('a tier list is stored sorted by condition and threshold, the last of two equal ones wins, negative ones are dropped', () => {
  const list = normaliseTiers([
    tier('billable_output_tokens', 1),
    tier('full_input_tokens', 200),
    tier('', 500, 1n),
    tier('full_input_tokens', 100),
    tier('', 500, 2n),
    tier('', -1),
    tier('', 7, -1n),
  ])
  expect(list).toEqual([
    tier('', 500, 2n),
    tier('full_input_tokens', 100),
    tier('full_input_tokens', 200),
    tier('billable_output_tokens', 1),
  ])
})
