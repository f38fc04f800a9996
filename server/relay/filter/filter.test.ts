import { describe, expect, test } from 'bun:test'
import { LiveSettings } from '../../lib/live-settings.ts'
import { ContentFilter } from './filter.ts'
import { compileLexicon, normalised, type Lexicon } from './lexicon.ts'
import { TextScanner } from './scanner.ts'

const lexiconOf = (setting: string): Lexicon => {
  const lexicon = compileLexicon(setting)
  if (!lexicon) throw new Error('no words')
  return lexicon
}

describe('a word is found however it is written', () => {
  const lexicon = lexiconOf('Sprengstoff, 炸药；évil plan\nΟΔΟΣ\n한글,;, \t')
  const written = [
    'der SPRENGSTOFF hier',
    'ｓｐｒｅｎｇｓｔｏｆｆ',
    'Spreng\u200bst\u00adoff',
    'S\ufeffp\u2060r\u200de\u200cngstoff',
    's\u0336p\u0336r\u0336e\u0336n\u0336g\u0336s\u0336t\u0336o\u0336f\u0336f\u0336',
    '一些炸药。',
    '炸\u200b药',
    'my E\u0301vil Plan',
    'my \u00c9VIL PLAN',
    'οδος',
    'οδοσ',
    '\u1112\u1161\u11ab\u1100\u1173\u11af',
  ]
  for (const text of written) {
    test(JSON.stringify(text), () => {
      expect(lexicon.matches(normalised(text))).toBe(true)
    })
  }

  test('and nothing else is', () => {
    expect(lexicon.size).toBe(5)
    const fine = ['Spreng stoff', 'sprengstof', '炸 药', 'evil plan', 'sprenģstoff', '하', '']
    expect(fine.filter((text) => lexicon.matches(normalised(text)))).toEqual([])
  })
})

test('a list without words is none', () => {
  expect(compileLexicon(' ,；\n\u200b')).toBeUndefined()
})

describe('a text that comes in pieces', () => {
  const lexicon = lexiconOf('sprengstoff,évil plan,炸药,stopp')
  const texts = ['one Spreng\u200bstoff two', 'an e\u0301vil plan', 'ein 炸药', 'x stop stop stopp', '\ud83d\ude00 sprengstoff']

  test('is read as if it came whole, wherever it is cut', () => {
    for (const text of texts) {
      for (let first = 0; first <= text.length; first += 1) {
        for (let second = first; second <= text.length; second += 1) {
          const scanner = new TextScanner(lexicon)
          for (const piece of [text.slice(0, first), text.slice(first, second), text.slice(second)]) scanner.push(piece)
          expect(scanner.found, JSON.stringify([text, first, second])).toBe(true)
        }
      }
    }
  })

  test('is cleared up to where a word could still begin, and no character less', () => {
    const cases: [pieces: string[], pending: number][] = [
      [['hello there'], 0],
      [['hello s'], 1],
      [['hello st', 'o'], 3],
      [['hello sto', 'p it'], 0],
      [['hello spreng', '\u200b\u200b'], 6],
      [['hello ÉVIL', ' pla'], 8],
      [['hello 炸'], 1],
      [['炸', '弹'], 0],
    ]
    for (const [pieces, pending] of cases) {
      const scanner = new TextScanner(lexicon)
      for (const piece of pieces) scanner.push(piece)
      expect(scanner.read - scanner.cleared, pieces.join('|')).toBe(pending)
      expect(scanner.found).toBe(false)
      scanner.close()
      expect(scanner.cleared).toBe(scanner.read)
    }
  })
})

test('settings are in force with the call that follows', () => {
  const settings = new LiveSettings()
  const filter = new ContentFilter(settings)
  expect([filter.requests, filter.answers, filter.finds('abc')]).toEqual([false, false, false])
  settings.replace(
    new Map([
      ['sensitive_filter_enabled', 'true'],
      ['sensitive_words', 'abc'],
    ]),
  )
  expect([filter.requests, filter.answers, filter.finds('xABCx')]).toEqual([true, false, true])
  settings.replace(
    new Map([
      ['sensitive_filter_enabled', 'true'],
      ['sensitive_words', 'other'],
      ['sensitive_filter_scope', 'request_response'],
    ]),
  )
  expect([filter.requests, filter.answers, filter.finds('xABCx')]).toEqual([true, true, false])
})
