import type { Span } from './diagnostic.ts'

/** A value that stands in a program. */
export type Literal = Span &
  (
    | { readonly kind: 'string'; readonly string: string }
    | { readonly kind: 'number'; readonly number: number }
    | { readonly kind: 'bool'; readonly bool: boolean }
  )

export const numberOperators = ['<', '<=', '>', '>='] as const
export const stringOperators = ['contains', 'not_contains', 'starts_with', 'ends_with', 'matches'] as const
export const operators = ['==', '!=', ...numberOperators, ...stringOperators] as const
export type Operator = (typeof operators)[number]

/** A name that stands in a program: of a model or a variable. */
export interface Name extends Span {
  readonly name: string
}

export type Condition =
  | { readonly kind: 'compare'; readonly left: Name; readonly operator: Operator; readonly operatorSpan: Span; readonly right: Literal }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }

/** A branch of a route; without a condition it is `otherwise`. */
export interface Branch {
  readonly span: Span
  readonly condition: Condition | undefined
  readonly action: Action
}

/** A branch of a switch; without a weight it is `otherwise`. */
export interface WeightedBranch {
  readonly span: Span
  readonly weight: number | undefined
  readonly action: Action
}

export interface Call {
  readonly kind: 'call'
  readonly span: Span
  readonly model: Name
}
export interface Route {
  readonly kind: 'route'
  readonly span: Span
  readonly branches: readonly Branch[]
}
export interface Judge {
  readonly kind: 'judge'
  readonly span: Span
  readonly model: Name
  readonly prompt: string | undefined
  readonly route: Route
}
export type Action =
  | Call
  | Route
  | Judge
  | { readonly kind: 'switch'; readonly span: Span; readonly branches: readonly WeightedBranch[] }
  | { readonly kind: 'parallel'; readonly span: Span; readonly calls: readonly Call[]; readonly synthesize: Name | undefined }
  | { readonly kind: 'fallback'; readonly span: Span; readonly calls: readonly Call[] }

export interface Option {
  readonly name: Name
  readonly value: Literal
}

/** A program that could be read. */
export interface Program {
  readonly options: readonly Option[]
  readonly root: Action
}
