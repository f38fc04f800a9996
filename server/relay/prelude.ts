import { MAX_PRELUDE_BYTES } from './limits.ts'
import type { Fault } from './protocols/canonical.ts'
import type { Frame, Protocol } from './protocols/protocol.ts'
import { parseSse } from './protocols/sse.ts'

/** What of a first chunk is looked at before the rest of it: the first event, and most often the first content. */
const FIRST_BYTES = 4_096

/** The beginning of a stream, up to and with its first content. */
export interface Prelude {
  /** All bytes read so far. */
  first: Uint8Array
  /** It says that it failed. */
  fault: Fault | undefined
  /** It is over, without content and without an end of its protocol. */
  ended: boolean
}

/**
 * Reads a stream until something comes that a customer can use, or its end. Until then nothing has reached him: a stream
 * that fails or falls silent here is tried on the next channel.
 * @param watch without `hold` only its first chunk is waited for; `begun` when the first byte is there; from then on silence for `idleMs` calls `giveUp`, which ends the reading
 */
export async function readPrelude(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  upstream: Protocol,
  watch: { hold: boolean; begun: () => void; idleMs: number; giveUp: () => void },
): Promise<Prelude> {
  const parser = parseSse()
  const chunks: Uint8Array[] = []
  let size = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) {
        const verdict = judge(parser.end(), upstream)
        return { first: joined(chunks, size), fault: faultIn(verdict), ended: verdict === undefined }
      }
      if (timer === undefined) watch.begun()
      clearTimeout(timer)
      chunks.push(value)
      size += value.length
      const verdict =
        judge(parser.push(value.subarray(0, FIRST_BYTES)), upstream) ??
        (watch.hold && value.length > FIRST_BYTES ? judge(parser.push(value.subarray(FIRST_BYTES)), upstream) : undefined)
      if (verdict !== undefined || !watch.hold || size > MAX_PRELUDE_BYTES)
        return { first: joined(chunks, size), fault: faultIn(verdict), ended: false }
      timer = setTimeout(watch.giveUp, watch.idleMs)
    }
  } finally {
    clearTimeout(timer)
  }
}

/** `content`: it may be delivered, an empty answer that ended properly too; undefined: not known yet. */
type Verdict = 'content' | Fault | undefined

function judge(frames: readonly Frame[], upstream: Protocol): Verdict {
  for (const frame of frames) {
    const { fault, content, finish, end } = upstream.tap(frame)
    if (fault) return fault
    if (content || finish !== undefined || end) return 'content'
  }
  return undefined
}

function faultIn(verdict: Verdict): Fault | undefined {
  return verdict === 'content' ? undefined : verdict
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = chunks
  if (only && chunks.length === 1) return only
  const all = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
