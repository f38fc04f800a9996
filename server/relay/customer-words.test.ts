import { expect, test } from 'bun:test'
import { maskQuoted } from './customer-words.ts'

test('what an upstream quotes of a request is masked, and its own words stay', () => {
  const request = 'be brief\nMy blood pressure is 180 to 120, what now?\nok\nshort one'
  const cases: [text: string, masked: string][] = [
    ["Invalid value: 'My blood pressure is 180 to 120, what now?'.", "Invalid value: '[…]'."],
    ['flagged: blood pressure is 180 to...', 'flagged:[…]...'],
    ['system: be brief', 'system: […]'],
    ['the short one is not allowed', 'the […] is not allowed'],
    ['My blood pressure is 180 to 120, what now? My blood pressure', '[…] […]'],
    ['messages: text content blocks must be non-empty', 'messages: text content blocks must be non-empty'],
    ['ok is not a role', 'ok is not a role'],
    ['', ''],
  ]
  for (const [text, masked] of cases) expect(maskQuoted(text, request)).toBe(masked)
})

test('in a large request too, wherever the quotation begins', () => {
  const filler = Array.from({ length: 20_000 }, (_, index) => index.toString(36)).join(' ')
  const request = `${filler} the patient has a rare disease ${filler}`
  for (let pad = 0; pad < 12; pad += 1) {
    const text = `${'#'.repeat(pad)}the patient has a rare disease!`
    expect(maskQuoted(text, request)).toBe(`${'#'.repeat(pad)}[…]!`)
  }
})
