import type { Meter } from '../../../../contract/meters.ts'
import { decimalOf, PriceFault, times, type Decimal } from '../decimals.ts'
import type { FeedPrices, FeedTier } from '../feed.ts'
import { words } from '../../../../contract/words.ts'

/**
 * new-api's billing expressions, as far as a price card says the same: a tree of comparisons of the input (`p`, `len`) or of the
 * output (`c`) with whole numbers, whose leaves are `tier("name", p*5 + c*30 + cr*0.5)` in USD per million tokens or
 * `tier("name", fixed(0.01))` per call. Any other one is refused, never cut short (W98).
 * Source: https://github.com/QuantumNous/new-api/blob/main/pkg/billingexpr/expr.md
 */

/** Longer ones nobody writes; bounds what a feed makes us read. */
const MAX_CHARS = 4_000
const MAX_DEPTH = 30
/** Thresholds of one expression. */
const MAX_STEPS = 40

const variables = words<Meter>({
  p: 'input',
  c: 'output',
  cr: 'cachedInput',
  cc: 'cacheWrite',
  cc1h: 'cacheWrite1h',
  img: 'imageInput',
  img_o: 'imageOutput',
  ai: 'audioInput',
  ao: 'audioOutput',
})

/** A 1-hour cache write without a price of its own costs this much of a 5-minute one, as Claude's do (6 / 3.75). */
export const LONG_WRITE: Decimal = { digits: 16n, scale: 1 }

type Axis = 'input' | 'output'
type Test = (tokens: number) => boolean
type Leaf = { prices: Map<Meter, Decimal>; fixed: Decimal | undefined }
type Node = Leaf | { test: Test; then: Node; otherwise: Node }

/** @throws PriceFault `expression` when it says more than a price card can */
export function readExpression(text: string): FeedPrices {
  if (text.length > MAX_CHARS) throw new PriceFault('expression')
  const reader = new Reader(text.replace(/^\s*v1:/, ''))
  const root = reader.expression(0)
  reader.end()
  const starts = [...new Set([0, ...reader.starts])].sort((a, b) => a - b)
  if (starts.length > MAX_STEPS) throw new PriceFault('expression')
  const steps = starts.map((minTokens) => ({ minTokens, leaf: leafAt(root, minTokens) }))
  const base = steps[0]?.leaf
  if (!base) throw new PriceFault('expression')
  if (steps.some(({ leaf }) => leaf.fixed !== undefined)) {
    if (steps.length > 1 || base.fixed === undefined) throw new PriceFault('expression')
    return { prices: { output: base.fixed }, quotaType: 1 }
  }
  return pricesOf(base, steps.slice(1), reader.axis ?? 'input')
}

function leafAt(node: Node, tokens: number): Leaf {
  let at = node
  while ('test' in at) at = at.test(tokens) ? at.then : at.otherwise
  return at
}

function pricesOf(base: Leaf, steps: readonly { minTokens: number; leaf: Leaf }[], axis: Axis): FeedPrices {
  const condition = axis === 'input' ? 'full_input_tokens' : 'billable_output_tokens'
  const free: Decimal = { digits: 0n, scale: 0 }
  const prices: FeedPrices['prices'] = {}
  const tiers: Partial<Record<Meter, FeedTier[]>> = {}
  const used = new Set([base, ...steps.map(({ leaf }) => leaf)].flatMap(({ prices: own }) => [...own.keys()]))
  for (const meter of used) {
    prices[meter] = base.prices.get(meter) ?? free
    const own = steps.map(({ minTokens, leaf }): FeedTier => ({ minTokens, price: leaf.prices.get(meter) ?? free, condition }))
    if (own.length > 0) tiers[meter] = own
  }
  const write = prices.cacheWrite
  if (write && !used.has('cacheWrite1h')) {
    prices.cacheWrite1h = times(write, LONG_WRITE)
    const own = tiers.cacheWrite?.map((tier) => ({ ...tier, price: times(tier.price, LONG_WRITE) }))
    if (own) tiers.cacheWrite1h = own
  }
  // What costs nothing in plain words is not "unknown": each side is stated.
  prices.input ??= free
  prices.output ??= free
  return { prices, tiers }
}

/** Reads an expression from its first to its last word. */
class Reader {
  readonly #words: string[]
  #at = 0
  /** Counts at which another price begins. */
  readonly starts: number[] = []
  axis: Axis | undefined

  constructor(text: string) {
    const form = /\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\d+(?:\.\d+)?(?:e[+-]?\d+)?|[a-z_][a-z0-9_]*|<=|>=|&&|[<>?:(),*+])/giy
    const words: string[] = []
    while (form.lastIndex < text.length) {
      const from = form.lastIndex
      const match = form.exec(text)
      if (!match) {
        if (text.slice(from).trim() === '') break
        throw new PriceFault('expression')
      }
      words.push(match[1] ?? '')
    }
    this.#words = words
  }

  expression(depth: number): Node {
    if (depth > MAX_DEPTH) throw new PriceFault('expression')
    if (this.#peek() === 'tier') return this.#leaf()
    if (this.#peek() === '(') {
      this.#take('(')
      const inner = this.expression(depth + 1)
      this.#take(')')
      return inner
    }
    const tests = [this.#comparison()]
    while (this.#peek() === '&&') {
      this.#take('&&')
      tests.push(this.#comparison())
    }
    this.#take('?')
    const then = this.expression(depth + 1)
    this.#take(':')
    const otherwise = this.expression(depth + 1)
    return { test: (tokens) => tests.every((test) => test(tokens)), then, otherwise }
  }

  end(): void {
    if (this.#at !== this.#words.length) throw new PriceFault('expression')
  }

  #comparison(): Test {
    const name = this.#next()
    const axis: Axis | undefined = name === 'p' || name === 'len' ? 'input' : name === 'c' ? 'output' : undefined
    // A condition on both sides is a table, which a list of steps is not.
    if (!axis || (this.axis !== undefined && this.axis !== axis)) throw new PriceFault('expression')
    this.axis = axis
    const operator = this.#next()
    const limit = Number(this.#next())
    if (!Number.isSafeInteger(limit) || limit < 0) throw new PriceFault('expression')
    this.starts.push(operator === '<=' || operator === '>' ? limit + 1 : limit)
    switch (operator) {
      case '<=':
        return (tokens) => tokens <= limit
      case '<':
        return (tokens) => tokens < limit
      case '>=':
        return (tokens) => tokens >= limit
      case '>':
        return (tokens) => tokens > limit
      default:
        throw new PriceFault('expression')
    }
  }

  #leaf(): Leaf {
    this.#take('tier')
    this.#take('(')
    if (!/^["']/.test(this.#next())) throw new PriceFault('expression')
    this.#take(',')
    const leaf: Leaf = { prices: new Map(), fixed: undefined }
    if (this.#peek() === 'fixed') {
      this.#take('fixed')
      this.#take('(')
      leaf.fixed = this.#number(this.#next())
      this.#take(')')
    } else {
      this.#term(leaf)
      while (this.#peek() === '+') {
        this.#take('+')
        this.#term(leaf)
      }
    }
    this.#take(')')
    return leaf
  }

  #term({ prices }: Leaf): void {
    const left = this.#next()
    this.#take('*')
    const right = this.#next()
    const [name, factor] = /^[a-z]/i.test(left) ? [left, right] : [right, left]
    const meter = Object.hasOwn(variables, name) ? variables[name] : undefined
    if (!meter || prices.has(meter)) throw new PriceFault('expression')
    prices.set(meter, this.#number(factor))
  }

  #number(word: string): Decimal {
    const value = /^\d/.test(word) ? decimalOf(word) : undefined
    if (!value) throw new PriceFault('expression')
    return value
  }

  #peek(): string | undefined {
    return this.#words[this.#at]
  }

  #next(): string {
    const word = this.#words[this.#at]
    if (word === undefined) throw new PriceFault('expression')
    this.#at += 1
    return word
  }

  #take(word: string): void {
    if (this.#next() !== word) throw new PriceFault('expression')
  }
}
