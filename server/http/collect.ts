/** How slowly a body may come. */
export interface Pace {
  /** Nothing for so long: the sender is gone, or holds the connection on purpose. */
  readonly stallMs: number
  /** Bytes a second that a body must reach once `stallMs` are over; a poor mobile line has several times this. */
  readonly minBytesPerSecond: number
}

export const PACE: Pace = { stallMs: 30_000, minBytesPerSecond: 16 * 1024 }

/** A body of at most this length, stated beforehand, is read in one piece: nearly every call. */
const AT_ONCE_BYTES = 256 * 1024
/** How often the pace of a longer one is looked at, as a part of `stallMs`. */
const LOOKS = 6

/**
 * Reads a body within a size and at a pace, whatever length its sender claims: neither the memory it takes nor how long it is waited
 * for is decided outside.
 * @returns why it was given up, where it was; what has come by then is let go
 * @throws whatever the connection throws when it breaks
 */
export async function collect(
  request: Pick<Request, 'headers' | 'body' | 'bytes'>,
  maxBytes: number,
  pace = PACE,
): Promise<Uint8Array | 'too large' | 'too slow'> {
  const length = request.headers.get('content-length')
  const claimed = length === null ? Number.NaN : Number(length)
  if (claimed > maxBytes) return 'too large'
  if (claimed <= AT_ONCE_BYTES) return atOnce(request.bytes(), pace)
  return request.body === null ? new Uint8Array() : byPieces(request.body.getReader(), maxBytes, pace)
}

async function atOnce(bytes: Promise<Uint8Array>, { stallMs }: Pace): Promise<Uint8Array | 'too slow'> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<'too slow'>((resolve) => {
    timer = setTimeout(() => resolve('too slow'), stallMs)
  })
  try {
    return await Promise.race([bytes, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What a stream's reader has; Bun's own type has more than one shape of it. */
interface Pieces {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>
  cancel(): Promise<void>
}

async function byPieces(reader: Pieces, maxBytes: number, pace: Pace): Promise<Uint8Array | 'too large' | 'too slow'> {
  const parts: Uint8Array[] = []
  let size = 0
  let looks = 0
  let silent = 0
  let before = 0
  let timer: ReturnType<typeof setInterval> | undefined
  const slow = new Promise<'too slow'>((resolve) => {
    timer = setInterval(() => {
      looks += 1
      silent = size === before ? silent + 1 : 0
      before = size
      const owed = ((looks - LOOKS) * pace.stallMs * pace.minBytesPerSecond) / (LOOKS * 1000)
      if (silent >= LOOKS || size < owed) resolve('too slow')
    }, pace.stallMs / LOOKS)
  })
  try {
    for (;;) {
      const piece = await Promise.race([reader.read(), slow])
      const stop = piece === 'too slow' ? piece : size + (piece.value?.byteLength ?? 0) > maxBytes ? 'too large' : undefined
      if (stop !== undefined) {
        // Not awaited: what is still to come is dropped by the server as it comes.
        reader.cancel().catch(() => undefined)
        return stop
      }
      if (piece === 'too slow' || piece.done) break
      if (piece.value === undefined) continue
      size += piece.value.byteLength
      parts.push(piece.value)
    }
    return parts.length === 1 ? (parts[0] ?? new Uint8Array()) : Buffer.concat(parts)
  } finally {
    clearInterval(timer)
  }
}
