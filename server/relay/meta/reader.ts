import type { DiagnosticCode, Diagnostics, Span } from './diagnostic.ts'
import { MAX_NODES } from './limits.ts'
import type { Token, TokenKind } from './lexer.ts'

/** The tokens under the parser's finger, with what it needs to go on after a mistake. */
export class Reader {
  readonly #tokens: readonly Token[]
  readonly #diagnostics: Diagnostics
  #at = 0
  #nodes = 0

  constructor(tokens: readonly Token[], diagnostics: Diagnostics) {
    this.#tokens = tokens
    this.#diagnostics = diagnostics
  }

  /** The one to be read next; the last one is `end` and stays. */
  get token(): Token {
    const token = this.#tokens[Math.min(this.#at, this.#tokens.length - 1)]
    if (!token) throw new TypeError('tokens end with an end token')
    return token
  }

  /** Takes the token. */
  next(): Token {
    const { token } = this
    this.#at += 1
    return token
  }

  /** Whether the token is of that kind. */
  is(kind: TokenKind): boolean {
    return this.token.kind === kind
  }

  isWord(text: string): boolean {
    return this.token.kind === 'word' && this.token.text === text
  }

  /** Takes a `;` or `,` if one stands here. */
  separator(): boolean {
    if (this.token.kind !== 'separator') return false
    this.#at += 1
    return true
  }

  /** Reports a mistake at this token. */
  fail(message: string, code: DiagnosticCode = 'syntax', suggestion?: string): undefined {
    this.#diagnostics.error(this.token, code, message, suggestion)
  }

  failAt(span: Span, message: string): void {
    this.#diagnostics.error(span, 'syntax', message)
  }

  /** Counts a branch, call or comparison. @returns false when the program has too many */
  count(): boolean {
    this.#nodes += 1
    if (this.#nodes === MAX_NODES + 1) this.fail(`the program is too large: at most ${MAX_NODES} actions and comparisons`, 'limit')
    return this.#nodes <= MAX_NODES
  }

  /** The brace that begins a block. */
  open(block: string): boolean {
    if (this.token.kind !== 'open') {
      this.fail(`expected { after ${block}`)
      return false
    }
    this.#at += 1
    return true
  }

  /**
   * Reads the parts of a block to its closing brace. After a part that cannot be read the next one is looked for.
   * @param part reads one part; false: it could not
   * @returns false when the program ends first
   */
  block(name: string, part: (token: Token) => boolean, starts: (token: Token) => boolean): boolean {
    for (;;) {
      while (this.separator()) continue
      const { token } = this
      if (token.kind === 'close') {
        this.#at += 1
        return true
      }
      if (token.kind === 'end' || this.#diagnostics.full || !this.count()) {
        this.fail(`unterminated ${name} block`)
        this.#at = this.#tokens.length - 1
        return false
      }
      const from = this.#at
      if (part(token)) continue
      if (this.#at === from) this.#at += 1
      this.skipTo(starts)
    }
  }

  /** Skips to a token that fits, or to the end of the block this stands in; blocks on the way are skipped whole. */
  skipTo(fits: (token: Token) => boolean): void {
    let depth = 0
    for (;;) {
      const { kind } = this.token
      if (kind === 'end' || (depth === 0 && (kind === 'close' || fits(this.token)))) return
      if (kind === 'open') depth += 1
      if (kind === 'close') depth -= 1
      this.#at += 1
    }
  }

  /** Skips what looks like an action: its word, its text and its block. */
  skipAction(): void {
    this.#at += 1
    if (this.token.kind === 'string') this.#at += 1
    if (!this.is('open')) return
    this.#at += 1
    this.skipTo(() => false)
    if (this.is('close')) this.#at += 1
  }
}
