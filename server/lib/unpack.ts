import { words } from '../../contract/words.ts'

/** What browsers call the encodings that the runtime can undo; `x-gzip` is gzip (RFC 9110, 8.4.1.3). */
const FORMATS = words<string>({
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'brotli',
  zstd: 'zstd',
})
/** JSON and events pack to a tenth or a thirtieth; what packs to less than a hundredth is made to fill memory (a bomb). */
const MAX_RATIO = 100
/** Small answers may be as monotonous as they like. */
const FREE_BYTES = 1024 * 1024
/** Unpacked at a time: at most 16 MiB come of it, which the runtime hands over in smaller parts. */
const PIECE_BYTES = 16 * 1024

/**
 * The answer with its body unpacked in steps, as it is read: the runtime's own unpacking runs ahead of its reader and takes
 * the memory of the whole bomb. A plain answer, and one in an encoding that is not known, is returned as it is. Reading fails
 * once the body is more than a hundred times what came over the line.
 */
export function unpacked(response: Response): Response {
  const encoding = response.headers.get('content-encoding')
  if (encoding === null || !response.body) return response
  const format = FORMATS[encoding.trim().toLowerCase()]
  if (format === undefined) return response
  let packed = 0
  let plain = 0
  const body = inPieces(response.body, (bytes) => (packed += bytes))
    // The runtime knows more formats than the DOM's types.
    .pipeThrough(new DecompressionStream(format as CompressionFormat))
    .pipeThrough(
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform(chunk, controller) {
          plain += chunk.byteLength
          if (plain > FREE_BYTES && plain > packed * MAX_RATIO)
            throw new Error(`the answer unpacks to more than ${MAX_RATIO} times its size`)
          controller.enqueue(chunk)
        },
      }),
    )
  const headers = new Headers(response.headers)
  headers.delete('content-encoding')
  headers.delete('content-length')
  return new Response(body, { status: response.status, statusText: response.statusText, headers })
}

/** Hands the body on a piece at a time, when it is asked for one: what is counted is what has been unpacked. */
function inPieces(body: ReadableStream<Uint8Array<ArrayBuffer>>, count: (bytes: number) => void): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader()
  let left = new Uint8Array()
  return new ReadableStream(
    {
      async pull(controller) {
        while (left.byteLength === 0) {
          const { done, value } = await reader.read()
          if (done) return controller.close()
          left = value
        }
        const piece = left.subarray(0, PIECE_BYTES)
        left = left.subarray(PIECE_BYTES)
        count(piece.byteLength)
        controller.enqueue(piece)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
