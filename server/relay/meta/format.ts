import { Diagnostics } from './diagnostic.ts'
import { lex, type Comment, type Token } from './lexer.ts'

/** Words that begin a line of their own inside a block. */
const STARTERS: ReadonlySet<string> = new Set([
  'option',
  'when',
  'otherwise',
  'weight',
  'chance',
  'probability',
  'call',
  'route',
  'switch',
  'parallel',
  'judge',
  'fallback',
  'prompt',
])
const INDENT = '  '

/**
 * A program in its one form: a line for each option, branch and call, two spaces for each block, no separators; comments stay where
 * they are. It must be one that can be read; formatting twice gives the same.
 */
export function format(source: string): string {
  const { tokens, comments } = lex(source, new Diagnostics())
  const writer = new Writer()
  let comment = 0
  let before: Token | undefined
  let lastLine = 1
  for (const [index, token] of tokens.entries()) {
    for (let next = comments[comment]; next && next.before <= index; next = comments[comment]) {
      writer.comment(next, before !== undefined && next.line === lastLine, next.line - lastLine > 1)
      lastLine = next.line
      comment += 1
    }
    if (token.kind === 'separator') {
      lastLine = token.line
      continue
    }
    if (token.kind === 'end') break
    writer.token(token, before, token.line - lastLine > 1)
    before = token
    lastLine = token.line
  }
  return writer.text()
}

class Writer {
  readonly #lines: string[] = []
  #line = ''
  #depth = 0

  token(token: Token, before: Token | undefined, blankBefore: boolean): void {
    if (token.kind === 'close') {
      this.#break()
      this.#depth = Math.max(0, this.#depth - 1)
      this.#write(token.text, '')
    } else if (before === undefined || startsLine(token, before)) {
      this.#break()
      if (blankBefore && before?.kind !== 'open') this.#blank()
      this.#write(token.text, '')
    } else this.#write(token.text, before.kind === '(' || token.kind === ')' ? '' : ' ')
    if (token.kind === 'open') this.#depth += 1
  }

  comment({ text }: Comment, trailing: boolean, blankBefore: boolean): void {
    if (trailing && this.#line !== '') this.#write(text, ' ')
    else {
      this.#break()
      if (blankBefore && this.#lines.length > 0 && !(this.#lines.at(-1) ?? '').endsWith('{')) this.#blank()
      this.#write(text, '')
    }
    this.#break()
  }

  text(): string {
    this.#break()
    return this.#lines.length === 0 ? '' : `${this.#lines.join('\n')}\n`
  }

  #write(text: string, gap: string): void {
    this.#line = this.#line === '' ? INDENT.repeat(this.#depth) + text : this.#line + gap + text
  }

  #break(): void {
    if (this.#line !== '') this.#lines.push(this.#line)
    this.#line = ''
  }

  #blank(): void {
    if (this.#lines.length > 0 && this.#lines.at(-1) !== '') this.#lines.push('')
  }
}

function startsLine(token: Token, before: Token): boolean {
  if (before.kind === 'open' || before.kind === 'close') return !(token.kind === 'word' && token.text === 'synthesize')
  return (
    token.kind === 'word' && STARTERS.has(token.text) && before.kind !== 'arrow' && !(before.kind === 'word' && before.text === 'option')
  )
}
