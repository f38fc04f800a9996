import { describe, expect, test } from 'bun:test'
import type { Frame } from './protocol.ts'
import { EventTooLarge, formatFrame, MAX_EVENT_CHARS, parseSse } from './sse.ts'

const encoder = new TextEncoder()

function parse(bytes: Uint8Array, cuts: number[] = []): Frame[] {
  const parser = parseSse()
  const frames: Frame[] = []
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    frames.push(...parser.push(bytes.subarray(from, cut)))
    from = cut
  }
  frames.push(...parser.end())
  return frames
}

const parseText = (text: string): Frame[] => parse(encoder.encode(text))

const everything = [
  '\uFEFF: hello\n\n',
  'data: {"a":"\u00e9 \u4f60\u597d \u{1f600}"}\n\n',
  'event: ping\ndata: {}\n\n',
  'id: 7\nretry: 10\ndata:no space\n\n',
  'data:  two spaces\ndata\ndata: third\n\n',
  '\n\n: keep-alive\n\n',
  'event: nothing\n\n',
  'database: not data\ndata:\n\n',
  'data: a\nevent: late\n\n',
  'data: [DONE]\n\n',
].join('')

const everythingFrames: Frame[] = [
  { data: '{"a":"\u00e9 \u4f60\u597d \u{1f600}"}' },
  { event: 'ping', data: '{}' },
  { data: 'no space' },
  { data: ' two spaces\n\nthird' },
  { data: '' },
  { event: 'late', data: 'a' },
  { data: '[DONE]' },
]

describe('parseSse', () => {
  test('reads every kind of line', () => {
    expect(parseText(everything)).toEqual(everythingFrames)
  })

  for (const [name, newline] of [
    ['CRLF', '\r\n'],
    ['CR', '\r'],
    ['LF', '\n'],
  ] as const) {
    test(`gives the same frames for every split in two and for single bytes, with ${name}`, () => {
      const bytes = encoder.encode(everything.replaceAll('\n', newline))
      for (let cut = 0; cut <= bytes.length; cut++) expect(parse(bytes, [cut])).toEqual(everythingFrames)
      expect(parse(bytes, [...bytes.keys()])).toEqual(everythingFrames)
      const few = encoder.encode(`data: 1${newline}${newline}data: \u{1f600}${newline}${newline}`)
      for (let a = 0; a <= few.length; a++) {
        for (let b = a; b <= few.length; b++) expect(parse(few, [a, b])).toEqual([{ data: '1' }, { data: '\u{1f600}' }])
      }
    })
  }

  test('delivers a frame as soon as its blank line is there, also with a lone CR', () => {
    for (const text of ['data: 1\n\n', 'data: 1\r\n\r\n', 'data: 1\r\r']) {
      expect(parseSse().push(encoder.encode(text))).toEqual([{ data: '1' }])
    }
  })

  test('delivers a last event that lacks its newlines, once', () => {
    for (const tail of ['', '\n', '\r', '\r\n']) expect(parseText(`data: 1\n\ndata: 2${tail}`)).toEqual([{ data: '1' }, { data: '2' }])
    const parser = parseSse()
    parser.push(encoder.encode('data: 1'))
    expect(parser.end()).toEqual([{ data: '1' }])
    expect(parser.end()).toEqual([])
  })

  test('replaces broken UTF-8 and goes on', () => {
    const bytes = new Uint8Array([...encoder.encode('data: '), 0xff, 0xe4, ...encoder.encode('x\n\ndata: 2\n\n')])
    expect(parse(bytes)).toEqual([{ data: '\ufffd\ufffdx' }, { data: '2' }])
  })

  test('refuses an event that never ends, in little pieces and in one', () => {
    const piece = encoder.encode('x'.repeat(1024 * 1024))
    const parser = parseSse()
    parser.push(encoder.encode('data: '))
    expect(() => {
      for (let i = 0; i <= MAX_EVENT_CHARS / piece.length; i++) parser.push(piece)
    }).toThrow(EventTooLarge)
    expect(() => parseText(`data: ${'x'.repeat(MAX_EVENT_CHARS)}\n\n`)).toThrow(EventTooLarge)
  })

  test('takes an event just under the limit in many pieces in linear time', () => {
    const parser = parseSse()
    const piece = encoder.encode('x'.repeat(4096))
    parser.push(encoder.encode('data: '))
    const pieces = MAX_EVENT_CHARS / piece.length - 1
    for (let i = 0; i < pieces; i++) expect(parser.push(piece)).toEqual([])
    expect(parser.push(encoder.encode('\n\n'))[0]?.data.length).toBe(pieces * piece.length)
  }, 2000)
})

describe('formatFrame', () => {
  test('writes what parseSse reads back', () => {
    const frames: Frame[] = [
      { data: '{"a":1}' },
      { event: 'message_stop', data: '{}' },
      { data: 'a\nb\n\nc' },
      { data: '' },
      { data: ' x' },
    ]
    expect(parseText(frames.map(formatFrame).join(''))).toEqual(frames)
    expect(formatFrame({ event: 'ping', data: '{}' })).toBe('event: ping\ndata: {}\n\n')
  })
})
