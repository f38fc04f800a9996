import { MAX_PRELUDE_BYTES } from './limits.ts'
import type { Fault } from './protocols/canonical.ts'
import type { Frame, Protocol } from './protocols/protocol.ts'
import { parseSse, type StreamParser } from './protocols/sse.ts'

/** The beginning of a stream, up to and with its first content. */
export interface Prelude {
  /** All frames read so far; what else of the stream was read waits in the parser. */
  frames: Frame[]
  parser: StreamParser
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
  const frames: Frame[] = []
  let size = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (timer === undefined && !done) watch.begun()
      clearTimeout(timer)
      const verdict = judge(done ? parser.end() : parser.push(value), frames, upstream)
      size += value?.length ?? 0
      if (done || verdict !== undefined || !watch.hold || size > MAX_PRELUDE_BYTES)
        return { frames, parser, fault: verdict === 'content' ? undefined : verdict, ended: done && verdict === undefined }
      timer = setTimeout(watch.giveUp, watch.idleMs)
    }
  } finally {
    clearTimeout(timer)
  }
}

/** `content`: it may be delivered, an empty answer that ended properly too; undefined: not known yet. */
type Verdict = 'content' | Fault | undefined

/** Keeps the frames, and looks at them until one says what to do. */
function judge(read: readonly Frame[], kept: Frame[], upstream: Protocol): Verdict {
  let verdict: Verdict
  for (const frame of read) {
    kept.push(frame)
    if (verdict !== undefined) continue
    const { fault, content, finish, end } = upstream.tap(frame)
    verdict = fault ?? (content || finish !== undefined || end ? 'content' : undefined)
  }
  return verdict
}
