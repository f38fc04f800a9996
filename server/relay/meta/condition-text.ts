import type { Condition } from './ast.ts'

/** A condition as a program has it. */
export function textOf(condition: Condition): string {
  if (condition.kind === 'not') return `not ${inner(condition.part)}`
  if (condition.kind !== 'compare') return condition.parts.map(inner).join(` ${condition.kind} `)
  const { left, operator, right } = condition
  const value = right.kind === 'string' ? JSON.stringify(right.string) : right.kind === 'number' ? right.number : right.bool
  return `${left.name} ${operator} ${value}`
}

function inner(condition: Condition): string {
  return condition.kind === 'and' || condition.kind === 'or' ? `(${textOf(condition)})` : textOf(condition)
}
