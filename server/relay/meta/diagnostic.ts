/** Where something stands in a program: line and column count from 1, lengths in UTF-16 units as editors count them. */
export interface Span {
  readonly line: number
  readonly column: number
  readonly length: number
}

/** `syntax` cannot be read; `name` and `type` are read and mean nothing; `limit` is too large; `unused` is a warning. */
export type DiagnosticCode = 'syntax' | 'name' | 'type' | 'model' | 'option' | 'limit' | 'unused'

/** One finding about a program. */
export interface Diagnostic extends Span {
  readonly severity: 'error' | 'warning'
  readonly code: DiagnosticCode
  readonly message: string
  /** What was probably meant by a misspelt name. */
  readonly suggestion?: string
}

/** More are noise: whoever mends the first ones runs it again. */
const MAX_DIAGNOSTICS = 50

/** Collects findings: one per place, so that one mistake is not told twice. */
export class Diagnostics {
  readonly #list: Diagnostic[] = []
  readonly #places = new Set<string>()

  /** Nothing more is taken: a reader may stop. */
  get full(): boolean {
    return this.#list.length >= MAX_DIAGNOSTICS
  }

  get hasErrors(): boolean {
    return this.#list.some(({ severity }) => severity === 'error')
  }

  error(span: Span, code: DiagnosticCode, message: string, suggestion?: string): void {
    this.#add('error', span, code, message, suggestion)
  }

  warning(span: Span, code: DiagnosticCode, message: string): void {
    this.#add('warning', span, code, message, undefined)
  }

  #add(severity: Diagnostic['severity'], span: Span, code: DiagnosticCode, message: string, suggestion: string | undefined): void {
    const place = `${span.line}:${span.column}`
    if (this.full || this.#places.has(place)) return
    this.#places.add(place)
    const { line, column, length } = span
    this.#list.push({ severity, code, line, column, length, message, ...(suggestion !== undefined && { suggestion }) })
  }

  /** In the order of the text. */
  sorted(): Diagnostic[] {
    return this.#list.toSorted((a, b) => a.line - b.line || a.column - b.column)
  }
}
