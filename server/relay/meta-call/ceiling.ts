import { money, ZERO, type Money } from '../../../contract/money.ts'
import type { Decision } from '../meta/evaluate.ts'
import type { RelayDeps } from '../deps.ts'
import { JUDGE_INPUT, JUDGE_OUTPUT } from './limits.ts'
import { outputOf, priceOf, type MetaCall } from './targets.ts'

/** What a decision costs at most with all its parts: of ways that are not known yet the dearest. One hold covers it. */
export function ceilingOf(decision: Decision, call: MetaCall, deps: RelayDeps): Money {
  switch (decision.kind) {
    case 'call':
      return answerCost(call, decision.model, call.estimatedInput, deps)
    case 'fallback':
      return most(decision.models.map((name) => answerCost(call, name, call.estimatedInput, deps)))
    case 'parallel': {
      let sum: bigint = answerCost(call, decision.synthesize, synthesisInput(call, decision.models), deps)
      for (const name of decision.models) sum += answerCost(call, name, call.estimatedInput, deps)
      return money(sum)
    }
    case 'judge': {
      const after = most(decision.judge.after.map((next) => ceilingOf(next, call, deps)))
      return money(judgeCost(call, decision.judge.model, deps) + after)
    }
  }
}

/** A call of a model with the request's own ceiling of output. */
export function answerCost(call: MetaCall, name: string, input: number, deps: RelayDeps): Money {
  const model = call.meta.targets.get(name)
  return model ? priceOf(call, name, { input, output: outputOf(call, model) * call.peek.choices }, deps) : ZERO
}

export function judgeCost(call: MetaCall, name: string, deps: RelayDeps): Money {
  return priceOf(call, name, { input: Math.min(JUDGE_INPUT, call.estimatedInput + JUDGE_OUTPUT), output: JUDGE_OUTPUT }, deps)
}

/** The synthesizer reads the request and every draft. */
function synthesisInput(call: MetaCall, names: readonly string[]): number {
  return names.reduce((sum, name) => {
    const model = call.meta.targets.get(name)
    return sum + (model ? outputOf(call, model) : 0)
  }, call.estimatedInput)
}

function most(amounts: readonly Money[]): Money {
  return amounts.reduce((best, amount) => (amount > best ? amount : best), ZERO)
}
