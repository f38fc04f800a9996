import type { Action, Condition, Literal, Program } from './ast.ts'

/** The JSON of a value, zero values left out (contract.md 3.7). */
export interface PlanValue {
  kind: 'string' | 'number' | 'bool'
  string?: string
  number?: number
  bool?: boolean
}
/** A comparison as the contract has it; `and`, `or` and `not` hold the conditions they join. */
export type PlanCondition =
  | { left: string; operator: string; right: PlanValue }
  | { operator: 'and' | 'or' | 'not'; conditions: PlanCondition[] }
export interface PlanAction {
  kind: Action['kind']
  model?: string
  prompt?: string
  routes?: { condition?: PlanCondition; otherwise?: true; action: PlanAction }[]
  switches?: { weight?: number; otherwise?: true; action: PlanAction }[]
  calls?: PlanAction[]
  synthesize_model?: string
}
export interface Plan {
  options: { name: string; value: PlanValue }[] | null
  root: PlanAction
}

/** A program as JSON. */
export function planOf({ options, root }: Program): Plan {
  return {
    options: options.length === 0 ? null : options.map(({ name, value }) => ({ name: name.name, value: valueOf(value) })),
    root: actionOf(root),
  }
}

function valueOf(literal: Literal): PlanValue {
  switch (literal.kind) {
    case 'string':
      return { kind: 'string', ...(literal.string !== '' && { string: literal.string }) }
    case 'number':
      return { kind: 'number', ...(literal.number !== 0 && { number: literal.number }) }
    case 'bool':
      return { kind: 'bool', ...(literal.bool && { bool: true }) }
  }
}

function conditionOf(condition: Condition): PlanCondition {
  if (condition.kind === 'not') return { operator: 'not', conditions: [conditionOf(condition.part)] }
  if (condition.kind !== 'compare') return { operator: condition.kind, conditions: condition.parts.map(conditionOf) }
  return { left: condition.left.name, operator: condition.operator, right: valueOf(condition.right) }
}

function actionOf(action: Action): PlanAction {
  const { kind } = action
  switch (action.kind) {
    case 'call':
      return { kind, model: action.model.name }
    case 'route':
      return {
        kind,
        routes: action.branches.map(({ condition, action: inner }) =>
          condition ? { condition: conditionOf(condition), action: actionOf(inner) } : { otherwise: true, action: actionOf(inner) },
        ),
      }
    case 'switch':
      return {
        kind,
        switches: action.branches.map(({ weight, action: inner }) =>
          weight === undefined ? { otherwise: true, action: actionOf(inner) } : { weight, action: actionOf(inner) },
        ),
      }
    case 'parallel':
      return { kind, calls: action.calls.map(actionOf), ...(action.synthesize && { synthesize_model: action.synthesize.name }) }
    case 'fallback':
      return { kind, calls: action.calls.map(actionOf) }
    case 'judge':
      return {
        kind,
        model: action.model.name,
        ...(action.prompt !== undefined && action.prompt !== '' && { prompt: action.prompt }),
        routes: actionOf(action.route).routes ?? [],
      }
  }
}
