import type { Random } from './random.ts'

/** Texts that have broken parsers, stores, pages or people. */
export const TEXTS: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  '\udfff\ud800',
  '\u202e\u2066',
  '\ufeff',
  '\u{1f600}'.repeat(50),
  'x'.repeat(10_000),
  '\n\r\t',
  "'; drop table users; --",
  '" or 1=1 --',
  '%',
  '_',
  '\\',
  '${7*7}{{7*7}}',
  '<script>alert(1)</script>',
  '../../../../etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  'NaN',
  'Infinity',
  '-0',
  '1e999',
  '0x10',
  '00012',
  '1.',
  '.5',
  '1,5',
  '٣',
  '9'.repeat(400),
  `0.${'0'.repeat(300)}1`,
  '-1',
  '9223372036854775808',
  '0000-00-00T00:00:00Z',
  '9999-12-31T23:59:59.999999999+23:59',
  '+275760-09-13T00:00:00Z',
  '2026-02-30',
  'http://127.0.0.1:1/',
  'http://[::1]:1/',
  'javascript:alert(1)',
  'file:///etc/passwd',
  'http://user:word@host:99999/',
  'a@b',
  `${'a'.repeat(300)}@example.test`,
  '(a+)+$',
  '[',
  '* * * * *',
  '*/0 * * * *',
  'route { call "m" }',
  `${'('.repeat(500)}1${')'.repeat(500)}`,
  'en-US-u-ca-xx',
  'Europe/Nowhere',
]

const NUMBERS: readonly number[] = [
  0,
  -0,
  -1,
  1,
  0.1,
  1e-320,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 63,
  1e21,
  4_294_967_295.5,
]

/** A value that is nobody's schema. */
export function hostile(random: Random, depth = 0): unknown {
  const kind = random.below(depth > 3 ? 4 : 7)
  if (kind <= 1) return random.pick(TEXTS)
  if (kind === 2) return random.pick(NUMBERS)
  if (kind === 3) return random.pick([null, true, false])
  if (kind === 4) return Array.from({ length: random.below(4) }, () => hostile(random, depth + 1))
  if (kind === 5) return nested(random.below(60))
  return Object.fromEntries(Array.from({ length: random.below(4) }, () => [random.pick(TEXTS), hostile(random, depth + 1)]))
}

function nested(depth: number): unknown {
  let value: unknown = []
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

/** A text with some of its characters changed, doubled, cut away or replaced by odd ones. */
export function mutate(text: string, random: Random): string {
  let mutated = text
  for (let times = 1 + random.below(4); times > 0; times -= 1) {
    const at = random.below(mutated.length + 1)
    const length = random.below(8)
    const piece = random.pick([
      '',
      '\0',
      '"',
      '\\',
      '{',
      '[',
      ']',
      '}',
      ',',
      ':',
      '\ud800',
      '-',
      '1e999',
      '\n',
      '&',
      '=',
      '%',
      mutated.slice(at, at + 20),
      random.pick(TEXTS).slice(0, 50),
    ])
    mutated = mutated.slice(0, at) + piece + mutated.slice(at + (random.chance(0.5) ? length : 0))
  }
  return mutated
}
