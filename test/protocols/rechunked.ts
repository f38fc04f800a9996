import { isObject, type Json } from '../../contract/json.ts'
import type { Frame } from '../../server/relay/protocols/protocol.ts'
import { numbers } from './fuzz.ts'
import type { Recorded } from './recorded.ts'

/** Where bytes of a stream are cut. */
export const CUTS = ['every byte', 'inside characters', 'inside line ends', 'anywhere', 'nowhere'] as const
export type Cut = (typeof CUTS)[number]

export const LINE_ENDS = ['\n', '\r\n', '\r'] as const

const encoder = new TextEncoder()
const LF = 10
const CR = 13
/** A piece `anywhere` is at most so long: some pieces hold several events, some events many pieces. */
const LONGEST_PIECE = 3_000

/** A stream as its bytes: fields in lines, comments between the events, the last blank line left out as some vendors do. */
export function bytesOf(frames: readonly Frame[], lineEnd: string): Uint8Array {
  const events = frames.map(({ event, data }, index) => {
    const lines = [...(event === undefined ? [] : [`event: ${event}`]), `data: ${data}`]
    return `${index % 7 === 3 ? `: waiting${lineEnd}` : ''}${lines.join(lineEnd)}${lineEnd}`
  })
  return encoder.encode(events.join(lineEnd))
}

/** The same bytes in pieces. */
export function cut(bytes: Uint8Array, how: Cut, seed: number): Uint8Array[] {
  const random = numbers(seed)
  const pieces: Uint8Array[] = []
  let start = 0
  let length = 1 + random(LONGEST_PIECE)
  for (let at = 1; at < bytes.length; at++) {
    if (!cutsAt(at)) continue
    pieces.push(bytes.subarray(start, at))
    start = at
    length = 1 + random(LONGEST_PIECE)
  }
  pieces.push(bytes.subarray(start))
  return pieces

  function cutsAt(at: number): boolean {
    switch (how) {
      case 'every byte':
        return true
      case 'inside characters':
        // Before each byte that goes on with a character of several.
        return ((bytes[at] ?? 0) & 0xc0) === 0x80
      case 'inside line ends':
        return (bytes[at] === LF || bytes[at] === CR) && (bytes[at - 1] === LF || bytes[at - 1] === CR)
      case 'anywhere':
        return at - start >= length
      case 'nowhere':
        return false
    }
  }
}

/** Characters of two, three and four bytes, a line separator that is none here, and one with an accent of its own. */
const WIDE = ['ä', 'ß', '大', '家', '\u2028', '👩', '🌍', 'e\u0301']
/** Members that hold the words of an answer, in all four protocols; arguments of calls are left as the JSON they are. */
const WORDS = new Set(['text', 'content', 'thinking', 'reasoning_content', 'reasoning', 'refusal', 'delta'])
const PADDING = 'x'.repeat(1024 * 1024)

/**
 * A recorded stream with other words: some letters become characters of several bytes, each always the same one, so that what a last
 * event repeats stays what was said before.
 * @param padded one event grows by a MiB that says nothing
 */
export function varied({ by, name, frames }: Recorded, seed: number, padded: boolean): Recorded {
  const random = numbers(seed)
  const wide = new Map<string, string>()
  for (let code = 97; code < 123; code++) if (random(3) === 0) wide.set(String.fromCharCode(code), WIDE[random(WIDE.length)] ?? '')
  const padding = random(frames.length)
  return {
    by,
    name: `${name} varied by ${seed}${padded ? ', with an event of 1 MiB' : ''}`,
    frames: frames.map((frame, index) => {
      const value = parsed(frame.data)
      if (!isObject(value)) return frame
      const spoken = spell(value, wide)
      return { ...frame, data: JSON.stringify(padded && index === padding && isObject(spoken) ? { ...spoken, padding: PADDING } : spoken) }
    }),
  }
}

/** A tool's arguments come in the same members as words: a piece of JSON is not changed. */
function spell(value: Json, wide: ReadonlyMap<string, string>, isWords = false): Json {
  if (typeof value === 'string') return isWords ? value.replaceAll(/[a-z]/g, (letter) => wide.get(letter) ?? letter) : value
  if (Array.isArray(value)) return value.map((item) => spell(item, wide))
  if (!isObject(value)) return value
  const isArguments = typeof value.type === 'string' && /arguments|input|code|tool|function|mcp/.test(value.type)
  return Object.fromEntries(
    Object.entries(value).map(([key, item = null]) => [
      key,
      isArguments && typeof item === 'string' ? item : spell(item, wide, WORDS.has(key)),
    ]),
  )
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
