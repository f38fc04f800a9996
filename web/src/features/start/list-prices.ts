/** When the prices below were noted; shown beside them, because providers change theirs. */
export const LIST_PRICES_NOTED = '2025-11-01'

export interface ListPrice {
  readonly input: string
  readonly output: string
  readonly cached: string
}

/**
 * Public list prices in US dollars per million tokens, a starting point for the owner and never a charge by itself.
 * A name matches itself and its dated variants ("gpt-4.1-2025-04-14"); the longest match wins.
 */
const prices: Readonly<Record<string, ListPrice>> = {
  'gpt-5': { input: '1.25', output: '10', cached: '0.125' },
  'gpt-5-mini': { input: '0.25', output: '2', cached: '0.025' },
  'gpt-5-nano': { input: '0.05', output: '0.4', cached: '0.005' },
  'gpt-4.1': { input: '2', output: '8', cached: '0.5' },
  'gpt-4.1-mini': { input: '0.4', output: '1.6', cached: '0.1' },
  'gpt-4.1-nano': { input: '0.1', output: '0.4', cached: '0.025' },
  'gpt-4o': { input: '2.5', output: '10', cached: '1.25' },
  'gpt-4o-mini': { input: '0.15', output: '0.6', cached: '0.075' },
  'o4-mini': { input: '1.1', output: '4.4', cached: '0.275' },
  'claude-haiku-4-5': { input: '1', output: '5', cached: '0.1' },
  'claude-sonnet-4-5': { input: '3', output: '15', cached: '0.3' },
  'claude-opus-4-1': { input: '15', output: '75', cached: '1.5' },
  'gemini-2.5-flash': { input: '0.3', output: '2.5', cached: '0.03' },
  'gemini-2.5-flash-lite': { input: '0.1', output: '0.4', cached: '0.01' },
  'deepseek-chat': { input: '0.28', output: '0.42', cached: '0.028' },
  'deepseek-reasoner': { input: '0.28', output: '0.42', cached: '0.028' },
}

/** The list price of a model by its provider's name, or undefined when it is not known. */
export function listPrice(model: string): ListPrice | undefined {
  const name = model.toLowerCase()
  const direct = prices[name]
  if (direct) return direct
  const undated = name.replace(/-(\d{8}|\d{4}-\d{2}-\d{2})$/, '')
  return undated === name ? undefined : prices[undated]
}
