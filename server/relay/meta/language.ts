import type { Action, Program } from './ast.ts'
import { check, type Names } from './check.ts'
import { Diagnostics, type Diagnostic } from './diagnostic.ts'
import { compileProgram, type Compiled } from './evaluate.ts'
import { lex } from './lexer.ts'
import { MAX_SOURCE_CHARS } from './limits.ts'
import type { Options } from './options.ts'
import { parse } from './parser.ts'
import { planOf, type Plan } from './plan.ts'

/** What became of a program's text. */
export type Analysis =
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly ok: true
      /** Warnings only. */
      readonly diagnostics: readonly Diagnostic[]
      readonly plan: Plan
      readonly options: Options
      readonly compiled: Compiled
      /** Each real model the program may call, once, in the order of the text. */
      readonly models: readonly string[]
    }

/** Reads, checks and compiles a program. Never throws. */
export function analyse(source: string, names: Names): Analysis {
  const diagnostics = new Diagnostics()
  if (source.length > MAX_SOURCE_CHARS) {
    diagnostics.error({ line: 1, column: 1, length: 1 }, 'limit', `the program is too long: at most ${MAX_SOURCE_CHARS} characters`)
    return { ok: false, diagnostics: diagnostics.sorted() }
  }
  const program = parse(lex(source, diagnostics).tokens, diagnostics)
  const options = program && check(program, names, diagnostics)
  if (!program || !options || diagnostics.hasErrors) return { ok: false, diagnostics: diagnostics.sorted() }
  return {
    ok: true,
    diagnostics: diagnostics.sorted(),
    plan: planOf(program),
    options,
    compiled: compileProgram(program),
    models: modelsOf(program),
  }
}

/** One finding in a line, as the contract has them: `line L:C: message`; of models only what is wrong. */
export function describe({ code, line, column, message, suggestion }: Diagnostic): string {
  if (code === 'model') return message
  return `line ${line}:${column}: ${message}${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`
}

function modelsOf({ root }: Program): string[] {
  const names = new Set<string>()
  const visit = (action: Action): void => {
    switch (action.kind) {
      case 'call':
        names.add(action.model.name)
        return
      case 'route':
      case 'switch':
        for (const { action: inner } of action.branches) visit(inner)
        return
      case 'judge':
        names.add(action.model.name)
        visit(action.route)
        return
      case 'parallel':
      case 'fallback':
        for (const call of action.calls) visit(call)
        if (action.kind === 'parallel' && action.synthesize) names.add(action.synthesize.name)
    }
  }
  visit(root)
  return [...names]
}
