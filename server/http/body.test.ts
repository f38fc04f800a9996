import { describe, expect, test } from 'bun:test'
import { MAX_BODY_BYTES, parseBody, readBody, readJson, tooDeep } from './body.ts'
import { collect, type Pace } from './collect.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
/** Fast enough for a test; nothing below measures time. */
const PACE: Pace = { stallMs: 60, minBytesPerSecond: 10_000_000 }

/** A request whose body comes in these pieces and then, when told so, nothing more. */
function request(pieces: Iterator<Uint8Array>, ends: boolean, headers: Record<string, string> = {}): Request {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { value, done } = pieces.next()
      if (value !== undefined) controller.enqueue(value)
      if (done !== true) return undefined
      if (!ends) return new Promise(() => undefined)
      controller.close()
      return undefined
    },
  })
  return new Request('http://x/', { method: 'POST', body, headers })
}

describe('a body', () => {
  test('is read whole, in one piece or in many', async () => {
    const pieces = Array.from({ length: 100 }, (_, index) => new Uint8Array(1_000).fill(index))
    const read = await collect(request(pieces.values(), true), 100_000)
    expect(Buffer.compare(read as Uint8Array, Buffer.concat(pieces))).toBe(0)
    expect(await readBody(new Request('http://x/', { method: 'POST', body: 'abc', headers: { 'content-length': '3' } }))).toEqual(
      bytesOf('abc'),
    )
    expect(await readBody(new Request('http://x/', { method: 'POST' }))).toEqual(new Uint8Array())
  })

  test('that is too large is given up at the limit, not after it', async () => {
    let asked = 0
    const endless = { next: () => ({ value: ((asked += 1), new Uint8Array(1_000)), done: asked > 1_000 }) } as Iterator<Uint8Array>
    expect(await collect(request(endless, true), 10_000)).toBe('too large')
    expect(asked).toBeLessThan(20)
    const claimed = { 'content-length': String(MAX_BODY_BYTES + 1) }
    expect(readBody(request([].values(), false, claimed))).rejects.toMatchObject({ code: 'body_too_large', status: 413 })
    expect(readBody(new Request('http://x/', { method: 'POST', body: 'x'.repeat(2_000) }), 1_024)).rejects.toThrow('larger than 1 KiB')
  })

  test.each([
    ['nothing at all', []],
    ['a beginning and then nothing', [new Uint8Array(5)]],
  ])('that stops is given up: %s', async (_, pieces) => {
    const heads: Record<string, string>[] = [{}, { 'content-length': '100' }, { 'content-length': '10000000' }]
    for (const headers of heads)
      expect(readBody(request(pieces.values(), false, headers), undefined, PACE)).rejects.toMatchObject({
        code: 'request_timeout',
        status: 408,
      })
  })

  test('that drips is given up, though it never stops', async () => {
    const drip = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await Bun.sleep(5)
        controller.enqueue(new Uint8Array(10))
      },
    })
    const dripping = new Request('http://x/', { method: 'POST', body: drip })
    expect(await collect(dripping, MAX_BODY_BYTES, PACE)).toBe('too slow')
  })

  test.each(['gzip', 'br', 'deflate', 'zstd', 'identity, gzip'])('that is compressed (%s) is not unpacked', (encoding) => {
    const compressed = new Request('http://x/', { method: 'POST', body: 'x', headers: { 'content-encoding': encoding } })
    expect(readBody(compressed)).rejects.toMatchObject({ code: 'unsupported_media', status: 415 })
  })
})

describe('JSON', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

  test.each([
    ['lists', nested(100_000)],
    ['objects', '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000)],
    ['lists behind a long string', `["${'a\\"['.repeat(1_000)}",${nested(100_000)}]`],
    ['lists behind a string that ends in backslashes', `["\\\\\\\\",${nested(100_000)}]`],
    ['a million small lists', `[${'[],'.repeat(1_000_000)}1]`],
    ['three million numbers', `[${'1,'.repeat(3_000_000)}1]`],
  ])('of %s is refused before it is parsed', (_, text) => {
    expect(tooDeep(text)).toBe(true)
    expect(() => parseBody(bytesOf(text))).toThrow('nested deeper')
  })

  test.each([
    ['brackets in strings', JSON.stringify(Array.from({ length: 1_000 }, () => '[[[[{{{{\\"[[['))],
    ['what a deep tool schema has', nested(150).padEnd(600)],
    ['a hundred thousand keys', JSON.stringify(Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, index])))],
    ['an open string', `["${'a'.repeat(500)}`.padEnd(600)],
  ])('with %s is no attack', (_, text) => {
    expect(tooDeep(text)).toBe(false)
  })

  test('is looked through in one pass: many strings cost no more than their length', () => {
    // Looking for a backslash from each string took 1,650 ms for one such MiB, and the square of it for more.
    const started = performance.now()
    expect(tooDeep(`[${'"a",'.repeat(1_000_000)}"a"]`)).toBe(false)
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})

test.each([
  ['{"a":1,"b":2}', false],
  ['{}', false],
  ['[1,1]', false],
  ['"a,b"', false],
  ['{"a":[1,2,{"b":1,"b":2}],"c":",\\",,"}', false],
  ['{"a":1,"a":2}', true],
  ['{"a":1,"\\u0061":2}', true],
  [`{"a":"${'x'.repeat(1_000)}","b":[1,2],"a":{}}`, true],
  ['{"__proto__":1,"__proto__":2}', true],
  ['{"__proto__":1,"constructor":2}', false],
])('a text whose object names a member twice is told from others: %s', (text, repeats) => {
  expect(readJson(bytesOf(text))).toEqual({ value: JSON.parse(text), repeats })
})
