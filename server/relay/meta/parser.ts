import type { Action, Branch, Call, Judge, Name, Option, Program, Route, WeightedBranch } from './ast.ts'
import { parseCondition, parseLiteral } from './conditions.ts'
import type { Diagnostics, Span } from './diagnostic.ts'
import { MAX_CALLS_IN_BLOCK, MAX_DEPTH } from './limits.ts'
import { Reader } from './reader.ts'
import { nearest } from './suggest.ts'
import type { Token } from './lexer.ts'

const ACTIONS = ['call', 'route', 'switch', 'parallel', 'judge', 'fallback'] as const
const EXPECTED_ACTION = 'expected action: call, route, switch, parallel, judge, or fallback'
/** A weighted branch begins with any of these. */
const WEIGHTS: ReadonlySet<string> = new Set(['weight', 'chance', 'probability'])

/**
 * Reads a program from its tokens. After a mistake it goes on with the next branch, call or block, so that one run tells several.
 * @returns undefined where no program could be read; the reasons are in `diagnostics`
 */
export function parse(tokens: readonly Token[], diagnostics: Diagnostics): Program | undefined {
  return new Parser(new Reader(tokens, diagnostics)).program()
}

class Parser {
  readonly #in: Reader
  #depth = 0

  constructor(reader: Reader) {
    this.#in = reader
  }

  program(): Program | undefined {
    const options: Option[] = []
    while (this.#in.isWord('option')) {
      const option = this.#option()
      if (option) options.push(option)
      else this.#in.skipTo((token) => token.kind === 'word' && (token.text === 'option' || isAction(token.text)))
      this.#in.separator()
    }
    const root = this.#action()
    if (!root) return undefined
    while (this.#in.separator()) continue
    if (this.#in.token.kind !== 'end') this.#in.fail(`unexpected token "${this.#in.token.text}"`)
    return { options, root }
  }

  #option(): Option | undefined {
    this.#in.next()
    const { token } = this.#in
    if (token.kind !== 'word') return this.#in.fail('expected option name')
    this.#in.next()
    if (this.#in.token.kind !== 'assign') return this.#in.fail('expected = after option name')
    this.#in.next()
    const value = parseLiteral(this.#in)
    return value && { name: nameOf(token), value }
  }

  #action(): Action | undefined {
    const { token } = this.#in
    if (this.#depth >= MAX_DEPTH) {
      this.#in.fail(`nested too deeply: at most ${MAX_DEPTH} levels`, 'limit')
      this.#in.skipAction()
      return undefined
    }
    this.#depth += 1
    try {
      switch (token.kind === 'word' ? token.text : '') {
        case 'call':
          return this.#call()
        case 'route':
          return this.#route()
        case 'switch':
          return this.#switch()
        case 'parallel':
          return this.#parallel()
        case 'judge':
          return this.#judge()
        case 'fallback':
          return this.#fallback()
        default: {
          const meant = token.kind === 'word' ? nearest(token.text, ACTIONS) : undefined
          this.#in.fail(EXPECTED_ACTION, 'syntax', meant)
          // What follows a misspelt word is most often what would follow the right one.
          if (meant !== undefined) this.#in.skipAction()
          return undefined
        }
      }
    } finally {
      this.#depth -= 1
    }
  }

  #call(): Call | undefined {
    const span = this.#in.next()
    const model = this.#model('expected model name in double quotes after call')
    return model && { kind: 'call', span, model }
  }

  #model(message: string): Name | undefined {
    const { token } = this.#in
    if (token.kind !== 'string') return this.#in.fail(message)
    this.#in.next()
    return nameOf(token)
  }

  #route(): Route | undefined {
    const span = this.#in.next()
    if (!this.#in.open('route')) return undefined
    const branches: Branch[] = []
    let otherwise = false
    const closed = this.#in.block(
      'route',
      (token) => {
        const isWhen = token.text === 'when'
        if (!isWhen && token.text !== 'otherwise') {
          this.#in.fail('expected when or otherwise', 'syntax', nearest(token.text, ['when', 'otherwise']))
          return false
        }
        if (isWhen && otherwise) this.#in.fail('when branch cannot follow otherwise')
        if (!isWhen && otherwise) this.#in.fail('duplicate otherwise branch')
        this.#in.next()
        const condition = isWhen ? parseCondition(this.#in) : undefined
        otherwise ||= !isWhen
        if (isWhen && !condition) this.#in.skipTo((next) => next.kind === 'arrow' || startsBranch(next))
        const action = this.#arrow()
        if (action && (condition || !isWhen)) branches.push({ span: token, condition, action })
        return action !== undefined
      },
      startsBranch,
    )
    if (closed && !otherwise) this.#in.failAt(span, 'route requires an otherwise branch')
    return { kind: 'route', span, branches }
  }

  #arrow(): Action | undefined {
    if (this.#in.token.kind !== 'arrow') return this.#in.fail('expected =>')
    this.#in.next()
    return this.#action()
  }

  #switch(): Action | undefined {
    const span = this.#in.next()
    if (!this.#in.open('switch')) return undefined
    const branches: WeightedBranch[] = []
    let otherwise = false
    let weighted = false
    const starts = (token: Token): boolean => token.kind === 'word' && (WEIGHTS.has(token.text) || token.text === 'otherwise')
    const closed = this.#in.block(
      'switch',
      (token) => {
        const isWeight = WEIGHTS.has(token.text)
        if (!isWeight && token.text !== 'otherwise') {
          this.#in.fail('expected weight, chance, probability or otherwise', 'syntax', nearest(token.text, [...WEIGHTS, 'otherwise']))
          return false
        }
        if (isWeight && otherwise) this.#in.fail('weighted branch cannot follow otherwise')
        if (!isWeight && otherwise) this.#in.fail('duplicate otherwise branch')
        this.#in.next()
        otherwise ||= !isWeight
        weighted ||= isWeight
        const weight = isWeight ? this.#weight() : undefined
        const action = this.#arrow()
        if (action && (weight !== undefined || !isWeight)) branches.push({ span: token, weight, action })
        return action !== undefined
      },
      starts,
    )
    if (closed && !weighted) this.#in.failAt(span, 'switch requires at least one weighted branch')
    return { kind: 'switch', span, branches }
  }

  #weight(): number | undefined {
    const { token } = this.#in
    const weight = Number(token.text)
    if (token.kind !== 'number' || !(weight > 0) || !Number.isFinite(weight)) {
      this.#in.fail('switch weight must be a positive number')
      if (token.kind === 'number') this.#in.next()
      return undefined
    }
    this.#in.next()
    return weight
  }

  #parallel(): Action | undefined {
    const span = this.#in.next()
    const calls = this.#calls('parallel', span)
    if (!calls) return undefined
    if (!this.#in.isWord('synthesize')) return { kind: 'parallel', span, calls, synthesize: undefined }
    this.#in.next()
    const synthesize = this.#model('expected model name in double quotes after synthesize')
    return synthesize && { kind: 'parallel', span, calls, synthesize }
  }

  #fallback(): Action | undefined {
    const span = this.#in.next()
    const calls = this.#calls('fallback', span)
    return calls && { kind: 'fallback', span, calls }
  }

  /** `{ call "a"; call "b" }` */
  #calls(block: 'parallel' | 'fallback', span: Span): Call[] | undefined {
    if (!this.#in.open(block)) return undefined
    const calls: Call[] = []
    const isCall = (token: Token): boolean => token.kind === 'word' && token.text === 'call'
    let any = false
    const closed = this.#in.block(
      block,
      (token) => {
        any = true
        if (!isCall(token)) {
          this.#in.fail(`${block} currently accepts call actions only`, 'syntax', nearest(token.text, ['call']))
          this.#in.skipAction()
          return true
        }
        if (calls.length === MAX_CALLS_IN_BLOCK) this.#in.fail(`${block} accepts at most ${MAX_CALLS_IN_BLOCK} calls`, 'limit')
        const call = this.#call()
        if (call) calls.push(call)
        return call !== undefined
      },
      isCall,
    )
    if (closed && !any) this.#in.failAt(span, `${block} requires at least one call`)
    return calls
  }

  #judge(): Judge | undefined {
    const span = this.#in.next()
    const model = this.#model('expected model name in double quotes after judge')
    if (!this.#in.open('judge')) return undefined
    let prompt: string | undefined
    let route: Route | undefined
    const starts = (token: Token): boolean => token.kind === 'word' && (token.text === 'prompt' || token.text === 'route')
    const closed = this.#in.block(
      'judge',
      (token) => {
        if (route) {
          this.#in.fail(`unexpected token "${token.text}"`)
          return false
        }
        if (token.text === 'route') {
          route = this.#route()
          return route !== undefined
        }
        if (token.text !== 'prompt' || prompt !== undefined) {
          this.#in.fail(
            prompt === undefined ? 'expected prompt or route' : 'expected route',
            'syntax',
            nearest(token.text, ['prompt', 'route']),
          )
          return false
        }
        this.#in.next()
        if (this.#in.token.kind !== 'string') {
          this.#in.fail('expected text in double quotes after prompt')
          return false
        }
        prompt = this.#in.token.value
        this.#in.next()
        return true
      },
      starts,
    )
    if (closed && !route) this.#in.failAt(span, 'judge requires a route')
    return model && route && { kind: 'judge', span, model, prompt, route }
  }
}

function startsBranch(token: Token): boolean {
  return token.kind === 'word' && (token.text === 'when' || token.text === 'otherwise')
}

function isAction(text: string): boolean {
  return ACTIONS.some((name) => name === text)
}

function nameOf({ value, line, column, length }: Token): Name {
  return { name: value, line, column, length }
}
