import { numberOperators, stringOperators, type Action, type Call, type Condition, type Name, type Program } from './ast.ts'
import type { Diagnostics } from './diagnostic.ts'
import { checkOptions, type Options } from './options.ts'
import { compilePattern } from './regex.ts'
import { nearest } from './suggest.ts'
import { isVariable, variables } from './variables.ts'

/** What a program is checked against. */
export interface Names {
  /** The meta model's own name; "" while it has none. */
  readonly self: string
  isModel(name: string): boolean
  isMetaModel(name: string): boolean
  /** For suggestions. */
  models(): Iterable<string>
}

/** Checks what a program means; findings go to `diagnostics`. @returns its options as they are in force */
export function check(program: Program, names: Names, diagnostics: Diagnostics): Options {
  const options = checkOptions(program.options, diagnostics)
  new Checker(names, options, diagnostics).action(program.root, false)
  const most = mostCalls(program.root)
  if (most > options.maxCalls)
    diagnostics.error(program.root.span, 'limit', `the program may make ${most} calls, max_calls allows ${options.maxCalls}`)
  return options
}

class Checker {
  readonly #names: Names
  readonly #options: Options
  readonly #diagnostics: Diagnostics

  constructor(names: Names, options: Options, diagnostics: Diagnostics) {
    this.#names = names
    this.#options = options
    this.#diagnostics = diagnostics
  }

  /** @param judged inside a judge's route, where `judge.output` is known */
  action(action: Action, judged: boolean): void {
    switch (action.kind) {
      case 'call':
        return this.#model(action.model)
      case 'route':
        for (const { condition, action: inner } of action.branches) {
          if (condition) this.#condition(condition, judged)
          this.action(inner, judged)
        }
        return
      case 'switch': {
        const sum = action.branches.reduce((total, { weight }) => total + (weight ?? 0), 0)
        const rest = action.branches.find(({ weight }) => weight === undefined)
        if (rest && sum >= 1) this.#diagnostics.warning(rest.span, 'unused', 'otherwise is never taken: the weights make 1 or more')
        for (const { action: inner } of action.branches) this.action(inner, judged)
        return
      }
      case 'parallel':
        if (!this.#options.allowParallel)
          this.#diagnostics.error(action.span, 'option', 'parallel is not allowed: option allow_parallel is false')
        this.#calls(action.calls)
        if (action.synthesize) this.#model(action.synthesize)
        return
      case 'fallback':
        return this.#calls(action.calls)
      case 'judge':
        this.#model(action.model)
        return this.action(action.route, true)
    }
  }

  #calls(calls: readonly Call[]): void {
    for (const { model } of calls) this.#model(model)
  }

  #model(model: Name): void {
    const { name } = model
    const { self } = this.#names
    if (self !== '' && name === self) this.#diagnostics.error(model, 'model', 'Meta model cannot reference itself')
    else if (this.#names.isMetaModel(name))
      this.#diagnostics.error(model, 'model', `Meta model cannot reference another meta model yet: ${name}`)
    else if (!this.#names.isModel(name))
      this.#diagnostics.error(model, 'model', `Referenced model not found: ${name}`, nearest(name, this.#names.models()))
  }

  #condition(condition: Condition, judged: boolean): void {
    if (condition.kind === 'not') return this.#condition(condition.part, judged)
    if (condition.kind !== 'compare') {
      for (const part of condition.parts) this.#condition(part, judged)
      return
    }
    const { left, operator, operatorSpan, right } = condition
    if (!isVariable(left.name)) {
      this.#diagnostics.error(left, 'name', `Unknown variable: ${left.name}`, nearest(left.name, Object.keys(variables)))
      return
    }
    if (left.name === 'judge.output' && !judged) this.#diagnostics.error(left, 'name', 'judge.output is known inside a judge only')
    const kind = variables[left.name]
    const isOneOf = (list: readonly string[]): boolean => list.includes(operator)
    if (isOneOf(numberOperators) && (kind !== 'number' || right.kind !== 'number'))
      this.#diagnostics.error(operatorSpan, 'type', `Operator ${operator} requires number operands`)
    else if (isOneOf(stringOperators) && (kind !== 'string' || right.kind !== 'string'))
      this.#diagnostics.error(operatorSpan, 'type', `Operator ${operator} requires string operands`)
    else if (operator === 'matches' && right.kind === 'string') this.#pattern(right.string, right)
    else if (kind !== right.kind)
      this.#diagnostics.warning(right, 'unused', `${left.name} is a ${kind}: this comparison is always ${operator === '!='}`)
  }

  #pattern(pattern: string, span: { line: number; column: number; length: number }): void {
    try {
      compilePattern(pattern)
    } catch (error) {
      this.#diagnostics.error(span, 'type', `Invalid regular expression: ${error instanceof Error ? error.message : ''}`)
    }
  }
}

/** Calls of the costliest way through a program. */
function mostCalls(action: Action): number {
  switch (action.kind) {
    case 'call':
      return 1
    case 'route':
    case 'switch':
      return action.branches.reduce((most, branch) => Math.max(most, mostCalls(branch.action)), 0)
    case 'parallel':
      return action.calls.length + 1
    case 'fallback':
      return action.calls.length
    case 'judge':
      return 1 + mostCalls(action.route)
  }
}
