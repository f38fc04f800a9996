/** One event of a `text/event-stream`. */
export interface SseEvent {
  readonly event: string
  readonly data: string
}

/**
 * Reads events as they come. Handles CRLF, comments, several data lines, characters split between chunks and a last
 * event without its empty line.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<SseEvent> {
  const decoder = new TextDecoder()
  const reader = body.getReader()
  let rest = ''
  let event = ''
  let data: string[] = []
  const take = (line: string): SseEvent | undefined => {
    if (line === '') {
      const whole = data.length === 0 ? undefined : { event: event === '' ? 'message' : event, data: data.join('\n') }
      event = ''
      data = []
      return whole
    }
    const colon = line.indexOf(':')
    if (colon === 0) return undefined
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') data.push(value)
    else if (field === 'event') event = value
    return undefined
  }
  try {
    for (;;) {
      const { value, done } = await reader.read()
      rest += done ? `${decoder.decode()}\n\n` : decoder.decode(value, { stream: true })
      // A "\r" at the very end may be the first half of "\r\n".
      const lines = rest.split(/\r\n|\n|\r(?!$)/)
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const found = take(line)
        if (found) yield found
      }
      if (done) return
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
