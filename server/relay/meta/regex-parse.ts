export type CharTest = (point: number) => boolean
export type Assertion = 'start' | 'end' | 'line-start' | 'line-end' | 'boundary' | 'inside'
export type Node =
  | { kind: 'char'; test: CharTest }
  | { kind: 'assert'; what: Assertion }
  | { kind: 'all' | 'any'; parts: Node[] }
  | { kind: 'repeat'; part: Node; min: number; max: number }

/** RE2's own limit of counted repetition is 1,000; here each repetition costs instructions. */
const MAX_REPEAT = 200
const MAX_GROUPS_DEEP = 32

interface Flags {
  ignoreCase: boolean
  multiLine: boolean
  dotAll: boolean
}

/** @throws SyntaxError with what is wrong, in words for an administrator */
export function parsePattern(pattern: string): Node {
  return new PatternParser(pattern).whole()
}

const isDigit: CharTest = (point) => point >= 48 && point <= 57
const isWord: CharTest = (point) => isDigit(point) || (point >= 65 && point <= 90) || (point >= 97 && point <= 122) || point === 95
const isSpace: CharTest = (point) => point === 32 || (point >= 9 && point <= 13 && point !== 11)
const not =
  (test: CharTest): CharTest =>
  (point) =>
    !test(point)
const CLASSES: Record<string, CharTest> = { d: isDigit, D: not(isDigit), w: isWord, W: not(isWord), s: isSpace, S: not(isSpace) }
const CONTROLS: Record<string, number> = { n: 10, r: 13, t: 9, f: 12, v: 11 }

class PatternParser {
  readonly #chars: string[]
  #at = 0
  #depth = 0

  constructor(pattern: string) {
    this.#chars = Array.from(pattern)
  }

  whole(): Node {
    const node = this.#any({ ignoreCase: false, multiLine: false, dotAll: false })
    if (this.#at < this.#chars.length) throw new SyntaxError(`unexpected ${this.#peek()}`)
    return node
  }

  #peek(): string {
    return this.#chars[this.#at] ?? ''
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false
    this.#at += 1
    return true
  }

  #any(flags: Flags): Node {
    // Flags set inside a group last to its end, as RE2 has it.
    const own = { ...flags }
    const parts = [this.#all(own)]
    while (this.#take('|')) parts.push(this.#all(own))
    return { kind: 'any', parts }
  }

  #all(flags: Flags): Node {
    const parts: Node[] = []
    for (;;) {
      const char = this.#peek()
      if (char === '' || char === '|' || char === ')') return { kind: 'all', parts }
      const atom = this.#atom(flags)
      if (atom) parts.push(this.#repeated(atom))
    }
  }

  #repeated(part: Node): Node {
    const range = this.#range()
    if (!range) return part
    // Lazy or greedy is the same where only a match is asked for.
    this.#take('?')
    if (this.#range()) throw new SyntaxError('nested repetition')
    return { kind: 'repeat', part, ...range }
  }

  #range(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Infinity }
    if (this.#take('+')) return { min: 1, max: Infinity }
    if (this.#take('?')) return { min: 0, max: 1 }
    const match = /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(this.#chars.slice(this.#at, this.#at + 12).join(''))
    if (!match) return undefined
    const min = Number(match[1])
    const max = match[2] === undefined ? min : match[3] === undefined ? Infinity : Number(match[3])
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT) || max < min) throw new SyntaxError(`bad repetition ${match[0]}`)
    this.#at += match[0].length
    return { min, max }
  }

  #atom(flags: Flags): Node | undefined {
    const char = this.#peek()
    this.#at += 1
    switch (char) {
      case '(':
        return this.#group(flags)
      case '[':
        return { kind: 'char', test: this.#set(flags) }
      case '.':
        return { kind: 'char', test: flags.dotAll ? () => true : (point) => point !== 10 }
      case '^':
        return { kind: 'assert', what: flags.multiLine ? 'line-start' : 'start' }
      case '$':
        return { kind: 'assert', what: flags.multiLine ? 'line-end' : 'end' }
      case '*':
      case '+':
      case '?':
        throw new SyntaxError(`nothing to repeat before ${char}`)
      case '\\':
        return this.#escape(flags)
      default:
        return { kind: 'char', test: literal(char.codePointAt(0) ?? 0, flags) }
    }
  }

  #group(flags: Flags): Node | undefined {
    let own = flags
    if (this.#take('?')) {
      const head = /^(?:P?<[A-Za-z_]\w*>|([ims]*)(?:-([ims]+))?([:)]))/.exec(this.#chars.slice(this.#at, this.#at + 64).join(''))
      if (!head) throw new SyntaxError('unsupported group')
      this.#at += head[0].length
      own = { ...flags }
      setFlags(own, head[1] ?? '', true)
      setFlags(own, head[2] ?? '', false)
      if (head[3] === ')') {
        Object.assign(flags, own)
        return undefined
      }
    }
    this.#depth += 1
    if (this.#depth > MAX_GROUPS_DEEP) throw new SyntaxError('groups are nested too deeply')
    const node = this.#any(own)
    this.#depth -= 1
    if (!this.#take(')')) throw new SyntaxError('missing )')
    return node
  }

  #escape(flags: Flags): Node {
    switch (this.#peek()) {
      case 'b':
        this.#at += 1
        return { kind: 'assert', what: 'boundary' }
      case 'B':
        this.#at += 1
        return { kind: 'assert', what: 'inside' }
      case 'A':
        this.#at += 1
        return { kind: 'assert', what: 'start' }
      case 'z':
        this.#at += 1
        return { kind: 'assert', what: 'end' }
      default: {
        const found = this.#escaped()
        return { kind: 'char', test: typeof found === 'number' ? literal(found, flags) : found }
      }
    }
  }

  /** What follows a backslash: a class, or one character. */
  #escaped(): CharTest | number {
    const char = this.#peek()
    this.#at += 1
    const known = CLASSES[char]
    if (known) return known
    const control = CONTROLS[char]
    if (control !== undefined) return control
    if (char === 'x') {
      const match = /^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(this.#chars.slice(this.#at, this.#at + 8).join(''))
      const point = Number.parseInt(match?.[1] ?? match?.[2] ?? '', 16)
      if (!match || point > 0x10ffff) throw new SyntaxError('bad escape \\x')
      this.#at += match[0].length
      return point
    }
    if (char === '' || /[A-Za-z0-9]/.test(char)) throw new SyntaxError(`unsupported escape \\${char}`)
    return char.codePointAt(0) ?? 0
  }

  #set(flags: Flags): CharTest {
    const negated = this.#take('^')
    const tests: CharTest[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      const low = this.#member()
      if (typeof low !== 'number') {
        tests.push(low)
        continue
      }
      let high = low
      if (this.#peek() === '-' && (this.#chars[this.#at + 1] ?? ']') !== ']') {
        this.#at += 1
        const end = this.#member()
        if (typeof end !== 'number' || end < low) throw new SyntaxError('bad range in [...]')
        high = end
      }
      tests.push(range(low, high, flags))
    }
    this.#at += 1
    const any: CharTest = (point) => tests.some((test) => test(point))
    return negated ? not(any) : any
  }

  #member(): CharTest | number {
    const char = this.#peek()
    if (char === '') throw new SyntaxError('missing ]')
    this.#at += 1
    return char === '\\' ? this.#escaped() : (char.codePointAt(0) ?? 0)
  }
}

function setFlags(flags: Flags, letters: string, value: boolean): void {
  if (letters.includes('i')) flags.ignoreCase = value
  if (letters.includes('m')) flags.multiLine = value
  if (letters.includes('s')) flags.dotAll = value
}

const otherCases = (point: number): number[] => {
  const char = String.fromCodePoint(point)
  return [char.toLowerCase(), char.toUpperCase()].flatMap((other) =>
    Array.from(other).length === 1 ? [other.codePointAt(0) ?? point] : [],
  )
}

function literal(point: number, flags: Flags): CharTest {
  if (!flags.ignoreCase) return (asked) => asked === point
  const [lower, upper] = otherCases(point)
  return (asked) => asked === point || asked === lower || asked === upper
}

function range(low: number, high: number, flags: Flags): CharTest {
  const within: CharTest = (point) => point >= low && point <= high
  return flags.ignoreCase ? (point) => within(point) || otherCases(point).some(within) : within
}
