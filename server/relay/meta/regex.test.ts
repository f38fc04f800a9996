import { expect, test } from 'bun:test'
import { compilePattern, MAX_MATCHED_CHARS } from './regex.ts'

/** Far above what it takes; a backtracking matcher would need longer than anyone waits. */
const MAX_MS = 2_000

test('loops of nothing and nested repetitions end, in time linear in the text', () => {
  const text = 'a'.repeat(MAX_MATCHED_CHARS)
  const started = performance.now()
  for (const pattern of ['(a*)*b', '(a|a)*b', '(a|aa)+$b', '(()*)*b', '(a?){50}a{50}b', '(x*)*(y*)*b'])
    expect([pattern, compilePattern(pattern)(text)]).toEqual([pattern, false])
  expect(performance.now() - started).toBeLessThan(MAX_MS)
})

test.each([
  '(',
  ')',
  '[a',
  '*a',
  'a**',
  'a{3,2}',
  'a{999}',
  '\\q',
  '(?=a)',
  '[b-a]',
  '((a{150}){150})',
  '(){200}{200}',
  'a'.repeat(1_001),
  '\\x{110000}',
])('%s is refused', (pattern) => {
  expect(() => compilePattern(pattern)).toThrow(SyntaxError)
})

test.each([
  ['(?i)HeLLo', 'say hello', true],
  ['(?i:a)b', 'Ab', true],
  ['(?i:a)b', 'AB', false],
  ['a.c', 'a\nc', false],
  ['(?s)a.c', 'a\nc', true],
  ['(?m)^b$', 'a\nb\nc', true],
  ['^b$', 'a\nb\nc', false],
  ['\\Aa\\z', 'a', true],
  ['\\x41\\x{1F600}', 'A😀', true],
  ['^.$', '😀', true],
  ['[^\\d\\s]+-[\\w.]{2,3}', 'x-a.b', true],
  ['(?P<year>\\d{4})', 'in 2026', true],
  ['\\bcat\\b', 'concat', false],
])('%s on %s: %p', (pattern, text, expected) => {
  expect(compilePattern(pattern)(text)).toBe(expected)
})

test('3,000 random patterns say what the built-in ones say', () => {
  let state = 7
  const draw = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % below
  }
  const atoms = ['a', 'b', 'c', '.', '[ab]', '[^a]', '\\w', '\\d', '^', '$', '\\b', '\\B']
  const pattern = (depth: number): string =>
    Array.from({ length: 1 + draw(3) }, () => {
      const atom =
        depth > 0 && draw(3) === 0
          ? `(${pattern(depth - 1)}${draw(2) === 0 ? `|${pattern(depth - 1)}` : ''})`
          : (atoms[draw(atoms.length)] ?? 'a')
      return /[\^$]|\\[bB]/.test(atom.slice(0, 2)) && !atom.startsWith('(')
        ? atom
        : atom + (['', '', '*', '+', '?', '{2}', '{1,3}', '*?'][draw(8)] ?? '')
    }).join('')
  for (let round = 0; round < 3_000; round += 1) {
    const source = pattern(2)
    const text = Array.from({ length: draw(9) }, () => 'abc1 '[draw(5)]).join('')
    expect([source, text, compilePattern(source)(text)]).toEqual([source, text, new RegExp(source).test(text)])
  }
})
