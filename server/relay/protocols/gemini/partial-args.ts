import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'
import { camel, text } from './wire.ts'

/** Deeper paths and higher indexes exist only to make us allocate; a call's arguments fit into the answer of one model. */
const MAX_DEPTH = 64
const MAX_INDEX = 100_000

type Step = string | number

/**
 * Puts the arguments of a streamed function call together (`partialArgs`, streamFunctionCallArguments): each piece names its place
 * with a JSON path; the texts of one place are appended while the piece before it said `willContinue`.
 */
export class ArgsBuilder {
  #root: JsonObject = {}
  #continues: string | undefined

  /** Takes one item of `partialArgs`; what it does not understand is left out. */
  add(raw: Json): void {
    if (!isObject(raw)) return
    const partial = camel(raw)
    const path = text(partial.jsonPath)
    const steps = path === undefined ? undefined : parsePath(path)
    const value = valueOf(partial)
    if (path === undefined || !steps || steps.length === 0 || value === undefined) return
    const appends = this.#continues === path
    this.#continues = partial.willContinue === true ? path : undefined
    write(this.#root, steps, value, appends)
  }

  /** Arguments given whole, beside or instead of pieces. */
  assign(args: JsonObject): void {
    this.#root = { ...this.#root, ...args }
  }

  json(): string {
    return JSON.stringify(this.#root)
  }
}

function valueOf(partial: JsonObject): Json | undefined {
  if (typeof partial.stringValue === 'string') return partial.stringValue
  if (typeof partial.numberValue === 'number') return partial.numberValue
  if (typeof partial.boolValue === 'boolean') return partial.boolValue
  return partial.nullValue === undefined ? undefined : null
}

const STEP = /\.([^.[\]]+)|\[(\d{1,9})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y

/** RFC 9535, names and indexes only. @returns undefined when the path is anything else */
function parsePath(path: string): Step[] | undefined {
  if (!path.startsWith('$')) return undefined
  const steps: Step[] = []
  let at = 1
  while (at < path.length) {
    STEP.lastIndex = at
    const match = STEP.exec(path)
    if (!match || steps.length >= MAX_DEPTH) return undefined
    const index = match[2] === undefined ? undefined : Number(match[2])
    if (index !== undefined && index > MAX_INDEX) return undefined
    steps.push(index ?? match[1] ?? (match[3] ?? match[4] ?? '').replace(/\\(.)/g, '$1'))
    at = STEP.lastIndex
  }
  return steps
}

function write(root: JsonObject, steps: Step[], value: Json, appends: boolean): void {
  let at: JsonObject | Json[] = root
  steps.forEach((step, depth) => {
    const next = steps[depth + 1]
    const known = get(at, step)
    if (next === undefined) {
      put(at, step, appends && typeof known === 'string' && typeof value === 'string' ? known + value : value)
      return
    }
    const fits = typeof next === 'number' ? Array.isArray(known) : isObject(known)
    const below: JsonObject | Json[] = fits ? (known as JsonObject | Json[]) : typeof next === 'number' ? [] : {}
    if (!fits) put(at, step, below)
    at = below
  })
}

function get(at: JsonObject | Json[], step: Step): Json | undefined {
  if (Array.isArray(at)) return typeof step === 'number' ? at[step] : undefined
  return Object.hasOwn(at, step) ? at[step] : undefined
}

function put(at: JsonObject | Json[], step: Step, value: Json): void {
  if (!Array.isArray(at)) {
    // Not an assignment: `__proto__` is an argument's name like any other.
    Object.defineProperty(at, step, { value, enumerable: true, writable: true, configurable: true })
    return
  }
  if (typeof step !== 'number') return
  while (at.length < step) at.push(null)
  at[step] = value
}
