import { formatFrame } from '../sse.ts'
import type { Frame, StreamCall } from '../protocol.ts'

export { decodeStream } from './stream-decode.ts'
export { encodeStream } from './stream-encode.ts'

/** Puts frames on the wire: `write` for each, `end` once after the last; `keepAlive` between two of them says nothing. */
export interface Framer {
  readonly contentType: string
  readonly keepAlive: string
  write(frame: Frame): string
  end(): string
}

export const SSE_KEEP_ALIVE = ': keep-alive\n\n'

/**
 * The two forms of streamGenerateContent: server-sent events with `alt=sse`, else one JSON array that grows
 * (Gemini API reference, streamGenerateContent). An error is an item of the array like any chunk.
 */
export function framerFor(call: Pick<StreamCall, 'jsonArray'>): Framer {
  return call.jsonArray ? arrayFramer() : { contentType: 'text/event-stream', keepAlive: SSE_KEEP_ALIVE, write: formatFrame, end: () => '' }
}

function arrayFramer(): Framer {
  let items = 0
  return {
    contentType: 'application/json',
    // White space is allowed anywhere between the items.
    keepAlive: '\n',
    write(frame) {
      items++
      return `${items === 1 ? '[' : ',\r\n'}${frame.data}`
    },
    end: () => (items === 0 ? '[]' : ']'),
  }
}

/** Whether the caller of streamGenerateContent wants the JSON array. */
export function wantsArray(query: URLSearchParams | undefined): boolean {
  return query?.get('alt') !== 'sse'
}
