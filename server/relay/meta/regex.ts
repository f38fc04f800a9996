import { parsePattern, type Assertion, type CharTest, type Node } from './regex-parse.ts'

/** Largest compiled pattern: each step of a text looks at no more than this many places. */
const MAX_INSTRUCTIONS = 250
/** Repetitions of nothing make no instructions, but work. */
const MAX_REPETITIONS = 5_000
/** Longer ones are no expressions for reading a request by. */
const MAX_PATTERN_CHARS = 1_000
/** A pattern looks at this much of a text: with the limit above a match takes some 60 ms at the very worst. */
export const MAX_MATCHED_CHARS = 8_192

type Instruction =
  | { op: 'char'; test: CharTest }
  | { op: 'split'; to: number; or: number }
  | { op: 'jump'; to: number }
  | { op: 'assert'; what: Assertion }
  | { op: 'match' }

/**
 * A regular expression (RE2's syntax without captures' contents) that runs in time linear in the text whatever the pattern: programs
 * are written by administrators, texts by anybody.
 * @throws SyntaxError with what is wrong
 */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (pattern.length > MAX_PATTERN_CHARS) throw new SyntaxError('the expression is too long')
  const { code, emit } = new Emitter()
  emit(parsePattern(pattern))
  code.push({ op: 'match' })
  return (text) => run(code, text.length > MAX_MATCHED_CHARS ? text.slice(0, MAX_MATCHED_CHARS) : text)
}

class Emitter {
  readonly code: Instruction[] = []
  #repetitions = 0

  readonly emit = (node: Node): void => {
    switch (node.kind) {
      case 'char':
        this.#push({ op: 'char', test: node.test })
        return
      case 'assert':
        this.#push({ op: 'assert', what: node.what })
        return
      case 'all':
        node.parts.forEach(this.emit)
        return
      case 'any':
        this.#any(node.parts)
        return
      case 'repeat':
        this.#repeat(node.part, node.min, node.max)
    }
  }

  #push<T extends Instruction>(instruction: T): T {
    if (this.code.length >= MAX_INSTRUCTIONS) throw new SyntaxError('the expression is too large')
    this.code.push(instruction)
    return instruction
  }

  #split(): { op: 'split'; to: number; or: number } {
    return this.#push({ op: 'split', to: this.code.length + 1, or: 0 })
  }

  #any(parts: readonly Node[]): void {
    const jumps: { to: number }[] = []
    for (const [index, part] of parts.entries()) {
      const split = index < parts.length - 1 ? this.#split() : undefined
      this.emit(part)
      if (!split) continue
      jumps.push(this.#push({ op: 'jump', to: 0 }))
      split.or = this.code.length
    }
    for (const jump of jumps) jump.to = this.code.length
  }

  #repeat(part: Node, min: number, max: number): void {
    for (let index = 0; index < min; index += 1) this.#again(part)
    if (max === Infinity) {
      const start = this.code.length
      const split = this.#split()
      this.#again(part)
      this.#push({ op: 'jump', to: start })
      split.or = this.code.length
      return
    }
    const splits: { or: number }[] = []
    for (let index = min; index < max; index += 1) {
      splits.push(this.#split())
      this.#again(part)
    }
    for (const split of splits) split.or = this.code.length
  }

  #again(part: Node): void {
    this.#repetitions += 1
    if (this.#repetitions > MAX_REPETITIONS) throw new SyntaxError('the expression is too large')
    this.emit(part)
  }
}

/** Walks all places of the pattern at once, one character of the text after the other (Thompson). */
function run(code: readonly Instruction[], text: string): boolean {
  const mark = new Int32Array(code.length).fill(-1)
  const stack: number[] = []
  let places: number[] = []
  let next: number[] = []
  const add = (list: number[], start: number, at: number, step: number): boolean => {
    stack.push(start)
    for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
      const instruction = code[place]
      if (!instruction || mark[place] === step) continue
      mark[place] = step
      switch (instruction.op) {
        case 'match':
          stack.length = 0
          return true
        case 'jump':
          stack.push(instruction.to)
          break
        case 'split':
          stack.push(instruction.or, instruction.to)
          break
        case 'assert':
          if (holds(instruction.what, text, at)) stack.push(place + 1)
          break
        case 'char':
          list.push(place)
      }
    }
    return false
  }
  for (let at = 0; at <= text.length;) {
    // A match may begin anywhere: the pattern's start joins the places at each character.
    if (add(places, 0, at, at)) return true
    const point = text.codePointAt(at)
    if (point === undefined) return false
    const width = point > 0xffff ? 2 : 1
    next = []
    for (const place of places) {
      const instruction = code[place]
      if (instruction?.op === 'char' && instruction.test(point) && add(next, place + 1, at + width, at + width)) return true
    }
    places = next
    at += width
  }
  return false
}

function isWordAt(text: string, at: number): boolean {
  return /^\w$/.test(text.charAt(at))
}

function holds(what: Assertion, text: string, at: number): boolean {
  switch (what) {
    case 'start':
      return at === 0
    case 'end':
      return at === text.length
    case 'line-start':
      return at === 0 || text[at - 1] === '\n'
    case 'line-end':
      return at === text.length || text[at] === '\n'
    case 'boundary':
      return isWordAt(text, at - 1) !== isWordAt(text, at)
    case 'inside':
      return isWordAt(text, at - 1) === isWordAt(text, at)
  }
}
