import type { SimulatedWire, SimulateBody } from '../../../contract/api/meta-models.ts'
import { AppError } from '../../../contract/errors.ts'
import { EMPTY_USAGE, type Usage } from '../../../contract/meters.ts'
import { formatMoney, money, ZERO, type Money } from '../../../contract/money.ts'
import { cardOf } from '../../../contract/prices.ts'
import { NO_MULTIPLIERS, quote, type Multipliers, type PriceCard } from '../../../contract/quote.ts'
import { drawBelow } from '../../lib/ids.ts'
import type { Decision, PathStep } from '../../relay/meta/evaluate.ts'
import { nearest } from '../../relay/meta/suggest.ts'
import { isVariable, variables, type Fact, type Variable } from '../../relay/meta/variables.ts'
import { multiplierFor } from '../catalog/service.ts'
import type { CatalogModel, Snapshot } from '../catalog/snapshot.ts'
import type { GoodProgram } from './program.ts'

/** Output tokens counted on where neither the case nor the model names a ceiling: what a call holds for. */
export const DEFAULT_OUTPUT = 4_096
/** Tokens a classifier may answer with. */
export const JUDGE_OUTPUT = 256
/** What a fine enough chance is drawn from. */
const CHANCES = 2 ** 32

type Case = SimulateBody['cases'][number]
type Part = SimulatedWire['parts'][number]
type Facts = Record<Variable, Fact>

/** Runs a program on the cases. @throws AppError meta_case_invalid, naming the case and its variable */
export function simulate(program: GoodProgram, body: SimulateBody, snapshot: Snapshot, groupMode: 'min' | 'max'): SimulatedWire[] {
  const ownCard = body.billing_mode === 'meta' ? cardOf(body, 0) : undefined
  return body.cases.map((one, index) => {
    const facts = factsOf(one, index)
    const path: PathStep[] = []
    const parts: Part[] = []
    let total = 0n
    const add = (role: Part['role'], name: string, usage: Partial<Usage>, counts = true): void => {
      const cost = costOf(
        snapshot.models.get(name),
        ownCard,
        { ...EMPTY_USAGE, ...usage },
        String(facts['user.group']),
        snapshot,
        groupMode,
      )
      parts.push({ role, model: name, estimated_cost: formatMoney(cost) })
      if (counts) total += cost
    }
    const random = (): number => one.random ?? drawBelow(CHANCES) / CHANCES
    let decision = program.compiled.decide((variable) => facts[variable], random, path)
    const input = Number(facts['request.input_tokens'])
    while (decision.kind === 'judge') {
      add('judge', decision.judge.model, { input, output: JUDGE_OUTPUT })
      decision = decision.judge.decide(String(facts['judge.output']))
    }
    const output = (name: string): number => outputOf(facts, snapshot.models.get(name))
    const model = chosenOf(
      decision,
      (role, name, counts) => add(role, name, { input, output: output(name) }, counts),
      (name, drafts) => {
        add('answer', name, { input: input + drafts.reduce((sum, draft) => sum + output(draft), 0), output: output(name) })
      },
    )
    return { model, path: path.map(stepOf), estimated_cost: formatMoney(money(total)), parts }
  })
}

/** The model of a decision, its calls added as parts; of a fallback the first one's cost counts. */
function chosenOf(
  decision: Exclude<Decision, { kind: 'judge' }>,
  add: (role: Part['role'], model: string, counts: boolean) => void,
  synthesize: (model: string, drafts: readonly string[]) => void,
): string {
  switch (decision.kind) {
    case 'call':
      add('answer', decision.model, true)
      return decision.model
    case 'fallback': {
      const [first = '', ...others] = decision.models
      add('answer', first, true)
      for (const other of others) add('fallback', other, false)
      return first
    }
    case 'parallel':
      for (const candidate of decision.models) add('candidate', candidate, true)
      synthesize(decision.synthesize, decision.models)
      return decision.synthesize
  }
}

function outputOf(facts: Facts, model: CatalogModel | undefined): number {
  const asked = Number(facts['request.max_output_tokens']) || (model?.maxOutputTokens ?? DEFAULT_OUTPUT)
  return Math.min(asked, model?.maxOutputTokens ?? asked)
}

/** At the first channel's multipliers, and the group's where the case names one. */
function costOf(
  model: CatalogModel | undefined,
  ownCard: PriceCard | undefined,
  usage: Usage,
  group: string,
  snapshot: Snapshot,
  groupMode: 'min' | 'max',
): Money {
  if (!model) return ZERO
  const first = model.all[0]
  let multipliers: Multipliers = NO_MULTIPLIERS
  if (first) {
    const id = [...snapshot.groups.values()].find(({ name }) => name === group)?.id
    multipliers = {
      group: multiplierFor(snapshot, first, id === undefined ? [] : [id], groupMode).multiplier,
      userChannel: snapshot.userChannels.get(first.userChannelId)?.multiplier ?? NO_MULTIPLIERS.userChannel,
    }
  }
  return quote(usage, ownCard ?? model.card, multipliers).total
}

/** What is not given of a case: an empty request of a user without means, by a key without a quota, at midnight on a Monday. */
function defaultOf(variable: Variable): Fact {
  switch (variable) {
    case 'api_key.quota_remaining':
      return Infinity
    case 'api_key.unlimited':
      return true
    case 'request.temperature':
      return Number.NaN
    case 'request.message_count':
    case 'time.weekday':
      return 1
    default: {
      const kind = variables[variable]
      return kind === 'number' ? 0 : kind === 'string' ? '' : false
    }
  }
}

function factsOf({ variables: given }: Case, index: number): Facts {
  const facts = Object.fromEntries(Object.keys(variables).map((name) => [name, defaultOf(name as Variable)])) as Facts
  for (const [name, value] of Object.entries(given ?? {})) {
    if (!isVariable(name)) {
      const meant = nearest(name, Object.keys(variables))
      throw invalid(index, `Unknown variable: ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`)
    }
    if (value !== null) facts[name] = factOf(name, value, index)
  }
  if (given?.['request.total_estimated_tokens'] === undefined)
    facts['request.total_estimated_tokens'] = Number(facts['request.input_tokens']) + Number(facts['request.max_output_tokens'])
  return facts
}

/** Decimals may come as text, as the API writes them; `unlimited` is a number without a figure. */
function factOf(name: Variable, value: string | number | boolean, index: number): Fact {
  const kind = variables[name]
  if (kind === 'string' && typeof value === 'string') return value
  if (kind === 'bool' && typeof value === 'boolean') return value
  if (kind === 'number') {
    if (typeof value === 'number') return value
    if (value === 'unlimited') return Infinity
    if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) return Number(value)
  }
  throw invalid(index, `${name} must be a ${kind}`)
}

function invalid(index: number, message: string): AppError {
  return new AppError('meta_case_invalid', { message: `case ${index + 1}: ${message}`, param: `cases.${index}.variables` })
}

/** JSON has no word for numbers without a figure. */
function stepOf({ values, ...step }: PathStep): SimulatedWire['path'][number] {
  if (!values) return step
  const shown = Object.entries(values).map(([name, value]): [string, Fact | null] => {
    if (value === Infinity) return [name, 'unlimited']
    return [name, Number.isNaN(value) ? null : value]
  })
  return { ...step, values: Object.fromEntries(shown) }
}
