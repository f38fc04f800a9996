import type { Literal, Option } from './ast.ts'
import type { Diagnostics } from './diagnostic.ts'
import { DEFAULT_MAX_CALLS, DEFAULT_TIMEOUT_MS, MAX_LABEL_CHARS, MAX_MAX_CALLS, MAX_TIMEOUT_MS, MIN_TIMEOUT_MS } from './limits.ts'
import { nearest } from './suggest.ts'

/** A program's options as they are in force. */
export interface Options {
  readonly maxCalls: number
  readonly timeoutMs: number
  readonly allowParallel: boolean
  /** Stands in the log rows of the program's calls. */
  readonly auditLabel: string
}

type Mutable = { -readonly [K in keyof Options]: Options[K] }

/** Takes a value into the options; a text is what is wrong with it. */
const rows: Record<string, (value: Literal, options: Mutable) => string | undefined> = {
  max_calls: (value, options) => {
    if (value.kind !== 'number' || !isWithin(value.number, 1, MAX_MAX_CALLS))
      return `max_calls must be a whole number from 1 to ${MAX_MAX_CALLS}`
    options.maxCalls = value.number
    return undefined
  },
  timeout_ms: (value, options) => {
    if (value.kind !== 'number' || !isWithin(value.number, MIN_TIMEOUT_MS, MAX_TIMEOUT_MS))
      return `timeout_ms must be a whole number from ${MIN_TIMEOUT_MS} to ${MAX_TIMEOUT_MS}`
    options.timeoutMs = value.number
    return undefined
  },
  allow_parallel: (value, options) => {
    if (value.kind !== 'bool') return 'allow_parallel must be true or false'
    options.allowParallel = value.bool
    return undefined
  },
  audit_label: (value, options) => {
    if (value.kind !== 'string' || value.string.length > MAX_LABEL_CHARS)
      return `audit_label must be a text of at most ${MAX_LABEL_CHARS} characters`
    options.auditLabel = value.string
    return undefined
  },
}

function isWithin(number: number, least: number, most: number): boolean {
  return Number.isInteger(number) && number >= least && number <= most
}

/** Reads the options; unknown, repeated and out-of-range ones are errors. */
export function checkOptions(list: readonly Option[], diagnostics: Diagnostics): Options {
  const options: Mutable = { maxCalls: DEFAULT_MAX_CALLS, timeoutMs: DEFAULT_TIMEOUT_MS, allowParallel: true, auditLabel: '' }
  const seen = new Set<string>()
  for (const { name, value } of list) {
    const take = Object.hasOwn(rows, name.name) ? rows[name.name] : undefined
    if (!take) {
      diagnostics.error(name, 'option', `unknown option "${name.name}"`, nearest(name.name, Object.keys(rows)))
      continue
    }
    if (seen.has(name.name)) diagnostics.error(name, 'option', `duplicate option "${name.name}"`)
    seen.add(name.name)
    const wrong = take(value, options)
    if (wrong !== undefined) diagnostics.error(value, 'option', wrong)
  }
  return options
}
