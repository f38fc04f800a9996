import { describe, expect, test } from 'bun:test'
import { packSeal, unpackSeal } from './seal.ts'

describe('seals', () => {
  test('a seal of the own maker is written and read as it is', () => {
    expect(packSeal({ by: 'claude', value: 'EqQB+/=' }, 'claude')).toBe('EqQB+/=')
    expect(unpackSeal('EqQB+/=', 'claude')).toEqual({ by: 'claude', value: 'EqQB+/=' })
  })

  test('a foreign seal comes back whole, whatever its text', () => {
    for (const value of ['', 'EqQB+/==', '{"id":"rs_1"}', 'a.b.c', '\u4f60\u597d \u{1f600}', 'x'.repeat(500_000)]) {
      const packed = packSeal({ by: 'openai-responses', value }, 'claude')
      expect(packed).toMatch(/^tg1\.openai-responses\.[A-Za-z0-9_-]*$/)
      expect(unpackSeal(packed, 'claude')).toEqual({ by: 'openai-responses', value })
      expect(unpackSeal(packed, 'gemini')).toEqual({ by: 'openai-responses', value })
    }
  })

  test('what pretends to be a packed seal and is not one is refused', () => {
    for (const text of [
      'tg1.',
      'tg1.claude',
      'tg1..abc',
      'tg1.Claude.abc',
      'tg1.claude.a+b',
      'tg1.claude.a b',
      `tg1.${'a'.repeat(33)}.abc`,
    ]) {
      expect(unpackSeal(text, 'gemini')).toBeUndefined()
    }
  })

  test('more than a mebibyte is refused, also from the own maker', () => {
    expect(unpackSeal('x'.repeat(1024 * 1024 + 1), 'claude')).toBeUndefined()
    expect(unpackSeal('x'.repeat(1024 * 1024), 'claude')).toBeDefined()
  })
})
