import { operators, type Condition, type Literal, type Operator } from './ast.ts'
import { MAX_DEPTH } from './limits.ts'
import type { Reader } from './reader.ts'
import { nearest } from './suggest.ts'

const CONNECTIVES: ReadonlySet<string> = new Set(['and', 'or', 'not'])
const WORD_OPERATORS = operators.filter((text) => /^[a-z]/.test(text))

/** `or` binds loosest, then `and`, then `not`. @returns undefined after a mistake, which is reported */
export function parseCondition(reader: Reader, depth = 0): Condition | undefined {
  return chain(reader, 'or', () => chain(reader, 'and', () => factor(reader, depth)))
}

/** One or more parts joined by a word. */
function chain(reader: Reader, word: 'and' | 'or', part: () => Condition | undefined): Condition | undefined {
  const first = part()
  if (!first) return undefined
  const parts = [first]
  while (reader.isWord(word)) {
    reader.next()
    const more = part()
    if (!more) return undefined
    parts.push(more)
  }
  return parts.length === 1 ? first : { kind: word, parts }
}

function factor(reader: Reader, depth: number): Condition | undefined {
  if (depth >= MAX_DEPTH) return reader.fail(`nested too deeply: at most ${MAX_DEPTH} levels`, 'limit')
  if (reader.isWord('not')) {
    reader.next()
    const part = factor(reader, depth + 1)
    return part && { kind: 'not', part }
  }
  if (!reader.is('(')) return comparison(reader)
  reader.next()
  const inner = parseCondition(reader, depth + 1)
  if (!inner) return undefined
  if (!reader.is(')')) return reader.fail('expected )')
  reader.next()
  return inner
}

function comparison(reader: Reader): Condition | undefined {
  const { token } = reader
  if (token.kind !== 'word' || CONNECTIVES.has(token.text)) return reader.fail('expected variable name')
  if (!reader.count()) return undefined
  reader.next()
  const operatorSpan = reader.token
  const operator = operatorOf(reader)
  if (operator === undefined) return undefined
  const right = parseLiteral(reader)
  return right && { kind: 'compare', left: { name: token.text, ...spanOf(token) }, operator, operatorSpan: spanOf(operatorSpan), right }
}

function operatorOf(reader: Reader): Operator | undefined {
  const { kind, text } = reader.token
  if (kind === 'assign') return reader.fail(`unsupported operator "${text}"`, 'syntax', '==')
  if (kind !== 'operator' && (kind !== 'word' || CONNECTIVES.has(text))) return reader.fail('expected operator')
  const known = operators.find((operator) => operator === text)
  if (!known) return reader.fail(`unsupported operator "${text}"`, 'syntax', nearest(text, WORD_OPERATORS))
  reader.next()
  return known
}

/** A string, a number or true and false. */
export function parseLiteral(reader: Reader): Literal | undefined {
  const { token } = reader
  const span = spanOf(token)
  if (token.kind === 'string') {
    reader.next()
    return { ...span, kind: 'string', string: token.value }
  }
  if (token.kind === 'number') {
    const number = Number(token.text)
    if (!Number.isFinite(number)) return reader.fail('number is too large', 'limit')
    reader.next()
    return { ...span, kind: 'number', number }
  }
  if (token.kind === 'word' && (token.text === 'true' || token.text === 'false')) {
    reader.next()
    return { ...span, kind: 'bool', bool: token.text === 'true' }
  }
  return reader.fail('expected string, number, or boolean literal')
}

function spanOf({ line, column, length }: { line: number; column: number; length: number }) {
  return { line, column, length }
}
