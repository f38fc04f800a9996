import type { Diagnostics, Span } from './diagnostic.ts'

export type TokenKind = 'word' | 'string' | 'number' | 'operator' | 'assign' | 'arrow' | 'open' | 'close' | '(' | ')' | 'separator' | 'end'

export interface Token extends Span {
  readonly kind: TokenKind
  /** As it stands in the program. */
  readonly text: string
  /** A string without quotes and escapes; else the text. */
  readonly value: string
}

/** A `#` comment, for the formatter. `before` is the index of the token that follows it. */
export interface Comment {
  readonly line: number
  readonly text: string
  readonly before: number
}

const WORD = /[A-Za-z_][A-Za-z0-9_.]*/y
const NUMBER = /[0-9]+(?:\.[0-9]+)?/y
const BLANK = /[ \t\r\f\v\u00a0\ufeff]+/y
const ESCAPES: Record<string, string> = { '"': '"', '\\': '\\', n: '\n', r: '\r', t: '\t' }
const SIGNS: readonly (readonly [string, TokenKind])[] = [
  ['=>', 'arrow'],
  ['==', 'operator'],
  ['!=', 'operator'],
  ['<=', 'operator'],
  ['>=', 'operator'],
  ['<', 'operator'],
  ['>', 'operator'],
  ['=', 'assign'],
  ['{', 'open'],
  ['}', 'close'],
  ['(', '('],
  [')', ')'],
  [';', 'separator'],
  [',', 'separator'],
]

/** Cuts a program into tokens; the last one is `end`. What cannot be read is reported and skipped: never throws. */
export function lex(source: string, diagnostics: Diagnostics): { tokens: Token[]; comments: Comment[] } {
  const tokens: Token[] = []
  const comments: Comment[] = []
  let at = 0
  let line = 1
  let lineStart = 0
  const push = (kind: TokenKind, text: string, value = text): void => {
    tokens.push({ kind, text, value, line, column: at - lineStart + 1, length: text.length })
    at += text.length
  }
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0]
  }
  while (at < source.length && !diagnostics.full) {
    const char = source.charAt(at)
    if (char === '\n') {
      at += 1
      line += 1
      lineStart = at
      continue
    }
    const blank = take(BLANK)
    if (blank !== undefined) {
      at += blank.length
      continue
    }
    if (char === '#') {
      const end = source.indexOf('\n', at)
      const text = source.slice(at, end === -1 ? source.length : end).trimEnd()
      comments.push({ line, text, before: tokens.length })
      at = end === -1 ? source.length : end
      continue
    }
    if (char === '"') {
      const { text, value } = readString(source, at, { line, column: at - lineStart + 1, length: 1 }, diagnostics)
      push('string', text, value)
      continue
    }
    const word = take(WORD)
    if (word !== undefined) {
      push('word', word)
      continue
    }
    const number = take(NUMBER)
    if (number !== undefined) {
      push('number', number)
      continue
    }
    const sign = SIGNS.find(([text]) => source.startsWith(text, at))
    if (sign) {
      push(sign[1], sign[0])
      continue
    }
    const unknown = String.fromCodePoint(source.codePointAt(at) ?? 0)
    diagnostics.error({ line, column: at - lineStart + 1, length: unknown.length }, 'syntax', `unexpected character '${unknown}'`)
    at += unknown.length
  }
  tokens.push({ kind: 'end', text: '', value: '', line, column: at - lineStart + 1, length: 0 })
  return { tokens, comments }
}

/** One string from its opening quote; it ends with its line at the latest. */
function readString(source: string, from: number, start: Span, diagnostics: Diagnostics): { text: string; value: string } {
  let value = ''
  let at = from + 1
  for (; at < source.length; at += 1) {
    const char = source.charAt(at)
    if (char === '"') return { text: source.slice(from, at + 1), value }
    if (char === '\n' || char === '\r') break
    if (char !== '\\') {
      value += char
      continue
    }
    const escaped = source.charAt(at + 1)
    if (escaped === '' || escaped === '\n' || escaped === '\r') continue
    const known = ESCAPES[escaped]
    if (known === undefined) {
      const whole = String.fromCodePoint(source.codePointAt(at + 1) ?? 0)
      const span = { line: start.line, column: start.column + at - from, length: 1 + whole.length }
      diagnostics.error(span, 'syntax', `unsupported string escape \\${whole}`)
    }
    value += known ?? escaped
    at += 1
  }
  diagnostics.error({ ...start, length: at - from }, 'syntax', 'unterminated string')
  return { text: source.slice(from, at), value }
}
