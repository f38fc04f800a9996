import type { Frame, Translator } from './protocol.ts'

/**
 * Largest single event, in characters with its framing. The longest honest ones are one image as base64 or the last event of a
 * long Responses answer, which repeats all of it: a few megabytes. An upstream that never ends an event must not fill the memory.
 */
export const MAX_EVENT_CHARS = 16 * 1024 * 1024

/** The upstream sent an event larger than MAX_EVENT_CHARS; the stream cannot be followed any further. */
export class EventTooLarge extends Error {
  override readonly name = 'EventTooLarge'

  constructor() {
    super(`one server-sent event is larger than ${MAX_EVENT_CHARS} characters`)
  }
}

/** Bytes of a stream in, whole frames out; `end` gives the last one when its blank line is missing. */
export type StreamParser = Translator<Uint8Array, Frame>

const LF = 10
const CR = 13
const SPACE = 32

/**
 * An incremental parser of `text/event-stream` (WHATWG HTML 9.2.6): bytes in, frames out, whatever the split. CRLF, CR and LF
 * end a line; a leading BOM and comments are dropped, `id` and `retry` too since no model API uses them. Unlike a browser, `end`
 * delivers a last event whose blank line is missing: several vendors close the connection right after their last data line.
 *
 * The hot path: one UTF-8 decode a push, then `indexOf('\n\n')`; what is kept between pushes is never searched twice.
 * @throws EventTooLarge from push and end
 */
export function parseSse(): StreamParser {
  const decoder = new TextDecoder()
  /** The start of an event whose blank line has not come yet; a rope that is only flattened when the event is whole. */
  let pending = ''
  let pendingEndsLine = false
  /** The last character was CR: an LF at the start of the next push belongs to it. */
  let skipLineFeed = false

  function take(decoded: string): Frame[] {
    let text = decoded
    if (skipLineFeed && text.length > 0) {
      if (text.charCodeAt(0) === LF) text = text.slice(1)
      skipLineFeed = false
    }
    if (text.length === 0) return []
    if (text.includes('\r')) {
      skipLineFeed = text.charCodeAt(text.length - 1) === CR
      text = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n')
    }
    const closes = text.includes('\n\n') || (pendingEndsLine && text.charCodeAt(0) === LF)
    pendingEndsLine = text.charCodeAt(text.length - 1) === LF
    if (pending.length > 0) text = pending + text
    if (!closes) {
      keep(text, 0)
      return []
    }
    const frames: Frame[] = []
    let start = 0
    for (;;) {
      while (text.charCodeAt(start) === LF) start++
      const end = text.indexOf('\n\n', start)
      if (end < 0) break
      const frame = readEvent(text, start, end)
      if (frame) frames.push(frame)
      start = end + 2
    }
    keep(text, start)
    return frames
  }

  function keep(text: string, start: number): void {
    const length = text.length - start
    if (length > MAX_EVENT_CHARS) {
      pending = ''
      throw new EventTooLarge()
    }
    if (length === 0) pendingEndsLine = false
    pending = length === 0 ? '' : start === 0 ? text : text.slice(start)
  }

  return {
    push: (bytes) => take(decoder.decode(bytes, { stream: true })),
    end() {
      const frames = take(decoder.decode())
      const text = pending
      pending = ''
      pendingEndsLine = false
      const last = text.length > 0 ? readEvent(text, 0, text.length) : undefined
      if (last) frames.push(last)
      return frames
    },
  }
}

/** Reads the lines of one event in text[start, end); undefined when it has no data line (WHATWG HTML: not dispatched). */
function readEvent(text: string, start: number, end: number): Frame | undefined {
  if (end - start > MAX_EVENT_CHARS) throw new EventTooLarge()
  let event: string | undefined
  let data: string | undefined
  let at = start
  while (at < end) {
    const newline = text.indexOf('\n', at)
    const stop = newline < 0 || newline > end ? end : newline
    if (text.startsWith('data', at)) {
      const value = readValue(text, at + 4, stop)
      if (value !== undefined) data = data === undefined ? value : `${data}\n${value}`
    } else if (text.startsWith('event', at)) {
      event = readValue(text, at + 5, stop) ?? event
    }
    at = stop + 1
  }
  if (data === undefined) return undefined
  return event ? { event, data } : { data }
}

/** The value after a field name that ends at `at`: without the colon and one space; undefined when the name goes on. */
function readValue(text: string, at: number, stop: number): string | undefined {
  if (at >= stop) return at === stop ? '' : undefined
  if (text.charCodeAt(at) !== 58) return undefined
  const from = text.charCodeAt(at + 1) === SPACE && at + 1 < stop ? at + 2 : at + 1
  return text.slice(from, stop)
}

/** Writes one frame with its blank line; newlines in the data become data lines of their own. */
export function formatFrame(frame: Frame): string {
  const head = frame.event === undefined ? 'data: ' : `event: ${frame.event}\ndata: `
  const data = frame.data.includes('\n') || frame.data.includes('\r') ? frame.data.replace(/\r\n|\r|\n/g, '\ndata: ') : frame.data
  return `${head}${data}\n\n`
}
