import type { Action, Condition, Program, Route } from './ast.ts'
import { textOf } from './condition-text.ts'
import { compilePattern } from './regex.ts'
import { isVariable, type Fact, type Variable } from './variables.ts'

/** One step of the way to a decision, for the simulator. */
export interface PathStep {
  readonly line: number
  readonly column: number
  readonly kind: 'when' | 'otherwise' | 'weight' | 'judge' | 'call' | 'parallel' | 'fallback'
  /** The condition, weight or model as text. */
  readonly text: string
  /** Whether a `when` held; true for what was done. */
  readonly taken: boolean
  /** What the condition's variables were. */
  readonly values?: Readonly<Record<string, Fact>>
}

/** What is to be done now. */
export type Decision =
  | { readonly kind: 'call'; readonly model: string }
  | { readonly kind: 'fallback'; readonly models: readonly string[] }
  | { readonly kind: 'parallel'; readonly models: readonly string[]; readonly synthesize: string }
  | { readonly kind: 'judge'; readonly judge: Judgement }

/** A classifier is to be asked; its answer decides what comes next. */
export interface Judgement {
  readonly model: string
  readonly prompt: string | undefined
  /** Texts the answer is compared with: what it should be one of. */
  readonly labels: readonly string[]
  /** Which judge of the program this is: part of what its answer is remembered by. */
  readonly index: number
  /** Every decision it may lead to. */
  readonly after: readonly Decision[]
  decide(output: string): Decision
}

type Values = (Fact | undefined)[]
type Test = (values: Values) => boolean
/** Decides; `random` is 0 <= x < 1. */
type Run = (values: Values, random: () => number, path: PathStep[] | undefined) => Decision

/** A program ready to decide. */
export interface Compiled {
  /** What must be known of a request, in the order of their slots; judge.output is not among them. */
  readonly variables: readonly Variable[]
  /**
   * @param read the value of each variable; each is asked for once
   * @param path takes the steps, where given
   */
  decide(read: (variable: Variable) => Fact, random: () => number, path?: PathStep[]): Decision
}

/** Compiles a checked program: what can be found out beforehand is. @throws TypeError for a program with errors */
export function compileProgram(program: Program): Compiled {
  const compiler = new Compiler()
  const run = compiler.action(program.root)
  const slots = [...compiler.slots.keys()]
  const asked = slots.filter((variable) => variable !== 'judge.output')
  return {
    variables: asked,
    decide(read, random, path) {
      const values: Values = slots.map((variable) => (variable === 'judge.output' ? '' : read(variable)))
      return run(values, random, path)
    },
  }
}

class Compiler {
  readonly slots = new Map<Variable, number>()
  #judges = 0

  #slot(name: string): number {
    if (!isVariable(name)) throw new TypeError(`Unknown variable: ${name}`)
    const known = this.slots.get(name)
    if (known !== undefined) return known
    this.slots.set(name, this.slots.size)
    return this.slots.size - 1
  }

  action(action: Action): Run {
    const { line, column } = action.span
    switch (action.kind) {
      case 'call':
        return ends({ kind: 'call', model: action.model.name }, { line, column, kind: 'call', text: action.model.name, taken: true })
      case 'fallback': {
        const decision = fallbackOf(action)
        return ends(decision, { line, column, kind: 'fallback', text: decision.models.join(', '), taken: true })
      }
      case 'parallel': {
        const decision = parallelOf(action)
        const text = `${decision.models.join(', ')} synthesize ${decision.synthesize}`
        return ends(decision, { line, column, kind: 'parallel', text, taken: true })
      }
      case 'route':
        return this.#route(action)
      case 'switch': {
        const branches = action.branches.map(({ weight, action: inner, span }) => ({ weight, span, run: this.action(inner) }))
        return switchRun(branches)
      }
      case 'judge': {
        const index = this.#judges
        this.#judges += 1
        const slot = this.#slot('judge.output')
        const labels = [...new Set(labelsOf(action.route))]
        const next = this.#route(action.route)
        const { prompt } = action
        const model = action.model.name
        const after = leavesOf(action.route)
        return (values, random, path) => {
          path?.push({ line, column, kind: 'judge', text: model, taken: true })
          return {
            kind: 'judge',
            judge: {
              model,
              prompt,
              labels,
              index,
              after,
              decide: (output) => {
                values[slot] = output
                return next(values, random, path)
              },
            },
          }
        }
      }
    }
  }

  #route(route: Route): Run {
    const branches = route.branches.map(({ condition, action, span }) => ({
      test: condition && this.#test(condition),
      run: this.action(action),
      span,
      text: condition ? textOf(condition) : 'otherwise',
      names: condition ? namesOf(condition) : [],
    }))
    return (values, random, path) => {
      for (const { test, run, span, text, names } of branches) {
        const taken = test === undefined || test(values)
        path?.push({
          line: span.line,
          column: span.column,
          kind: test ? 'when' : 'otherwise',
          text,
          taken,
          ...(names.length > 0 && { values: Object.fromEntries(names.map((name) => [name, values[this.#slot(name)] ?? ''])) }),
        })
        if (taken) return run(values, random, path)
      }
      throw new TypeError('a checked route has an otherwise branch')
    }
  }

  #test(condition: Condition): Test {
    switch (condition.kind) {
      case 'not': {
        const part = this.#test(condition.part)
        return (values) => !part(values)
      }
      case 'and': {
        const parts = condition.parts.map((part) => this.#test(part))
        return (values) => parts.every((part) => part(values))
      }
      case 'or': {
        const parts = condition.parts.map((part) => this.#test(part))
        return (values) => parts.some((part) => part(values))
      }
      case 'compare':
        return comparison(condition, this.#slot(condition.left.name))
    }
  }
}

function fallbackOf({ calls }: Extract<Action, { kind: 'fallback' }>): Extract<Decision, { kind: 'fallback' }> {
  return { kind: 'fallback', models: calls.map(({ model }) => model.name) }
}

function parallelOf({ calls, synthesize }: Extract<Action, { kind: 'parallel' }>): Extract<Decision, { kind: 'parallel' }> {
  const models = calls.map(({ model }) => model.name)
  return { kind: 'parallel', models, synthesize: synthesize?.name ?? models[0] ?? '' }
}

/** Every decision an action may end in. */
function leavesOf(action: Action): Decision[] {
  switch (action.kind) {
    case 'call':
      return [{ kind: 'call', model: action.model.name }]
    case 'fallback':
      return [fallbackOf(action)]
    case 'parallel':
      return [parallelOf(action)]
    case 'route':
    case 'switch':
      return action.branches.flatMap((branch) => leavesOf(branch.action))
    case 'judge': {
      const after = leavesOf(action.route)
      const [first] = after
      // Only what it costs is asked of it here.
      if (!first) return []
      return [
        { kind: 'judge', judge: { model: action.model.name, prompt: action.prompt, labels: [], index: -1, after, decide: () => first } },
      ]
    }
  }
}

function ends(decision: Decision, step: PathStep): Run {
  return (_values, _random, path) => {
    path?.push(step)
    return decision
  }
}

/** By weight; what the weights leave of 1 goes to `otherwise`, without one they are relative to their sum (contract.md 12.2). */
function switchRun(branches: readonly { weight: number | undefined; span: { line: number; column: number }; run: Run }[]): Run {
  const sum = branches.reduce((total, { weight }) => total + (weight ?? 0), 0)
  const rest = branches.find(({ weight }) => weight === undefined)
  const whole = rest ? Math.max(1, sum) : sum
  return (values, random, path) => {
    const drawn = random() * whole
    let upTo = 0
    let chosen = rest
    for (const branch of branches) {
      if (branch.weight === undefined) continue
      upTo += branch.weight
      if (drawn >= upTo && (rest !== undefined || upTo < sum)) continue
      chosen = branch
      break
    }
    if (!chosen) throw new TypeError('a checked switch has a branch')
    const { span, weight, run } = chosen
    path?.push({
      line: span.line,
      column: span.column,
      kind: weight === undefined ? 'otherwise' : 'weight',
      text: String(weight ?? 'otherwise'),
      taken: true,
    })
    return run(values, random, path)
  }
}

type Comparison = Extract<Condition, { kind: 'compare' }>

function comparison({ operator, right }: Comparison, slot: number): Test {
  const wanted: Fact = right.kind === 'string' ? right.string : right.kind === 'number' ? right.number : right.bool
  const asNumber = Number(wanted)
  const text = String(wanted)
  const textAt = (values: Values): string => String(values[slot] ?? '')
  const numberAt = (values: Values): number => values[slot] as number
  switch (operator) {
    case '==':
      return (values) => values[slot] === wanted
    case '!=':
      return (values) => values[slot] !== wanted
    case '<':
      return (values) => numberAt(values) < asNumber
    case '<=':
      return (values) => numberAt(values) <= asNumber
    case '>':
      return (values) => numberAt(values) > asNumber
    case '>=':
      return (values) => numberAt(values) >= asNumber
    case 'contains':
      return (values) => textAt(values).includes(text)
    case 'not_contains':
      return (values) => !textAt(values).includes(text)
    case 'starts_with':
      return (values) => textAt(values).startsWith(text)
    case 'ends_with':
      return (values) => textAt(values).endsWith(text)
    case 'matches': {
      const matches = compilePattern(text)
      return (values) => matches(textAt(values))
    }
  }
}

function namesOf(condition: Condition): string[] {
  if (condition.kind === 'compare') return [condition.left.name]
  return condition.kind === 'not' ? namesOf(condition.part) : condition.parts.flatMap(namesOf)
}

/** Texts a judge's answer is compared with as a whole. */
function labelsOf(route: Route): string[] {
  const of = (condition: Condition): string[] => {
    if (condition.kind === 'not') return of(condition.part)
    if (condition.kind !== 'compare') return condition.parts.flatMap(of)
    const { left, operator, right } = condition
    return left.name === 'judge.output' && operator === '==' && right.kind === 'string' ? [right.string] : []
  }
  return route.branches.flatMap(({ condition }) => (condition ? of(condition) : []))
}
