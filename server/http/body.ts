import { AppError } from '../../contract/errors.ts'

/** 32 MiB (contract.md 1.1): agents' long talks reach megabytes, images more; anything above is refused with 413. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024
/** Deeper JSON is an attack on recursive readers, no client sends it. */
const MAX_JSON_DEPTH = 200

/**
 * Reads the body within the limit, whatever length the caller claimed.
 * @throws AppError body_too_large | unsupported_media | bad_request
 */
export async function readBody(request: Request): Promise<Uint8Array> {
  const encoding = request.headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity') {
    throw new AppError('unsupported_media', {
      message: `content-encoding ${encoding.slice(0, 40)} is not supported; send the body uncompressed`,
    })
  }
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw new AppError('body_too_large')
  let bytes: Uint8Array
  try {
    bytes = await request.bytes()
  } catch (cause) {
    throw new AppError('bad_request', { message: 'Failed to read request body', cause })
  }
  if (bytes.byteLength > MAX_BODY_BYTES) throw new AppError('body_too_large')
  return bytes
}

/**
 * Parses JSON text of a caller.
 * @throws AppError bad_json, also for JSON nested deeper than any client needs
 */
export function parseBody(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes)
  if (tooDeep(text)) throw new AppError('bad_json', { message: `The request body is nested deeper than ${MAX_JSON_DEPTH} levels` })
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError('bad_json', { cause })
  }
}

/** Whether a JSON text nests deeper than any we read. Counts brackets outside strings only when there are enough of them to matter. */
export function tooDeep(text: string): boolean {
  let depth = 0
  let inString = false
  // A text this short cannot nest that deep.
  if (text.length < MAX_JSON_DEPTH * 2) return false
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (inString) {
      if (code === 92) index += 1
      else if (code === 34) {
        inString = false
      }
      continue
    }
    if (code === 34) {
      // Most of a body is strings: jump to the next quote.
      inString = true
      const close = text.indexOf('"', index + 1)
      const escape = text.indexOf('\\', index + 1)
      if (close > 0 && (escape < 0 || escape > close)) {
        index = close
        inString = false
      }
    } else if (code === 123 || code === 91) {
      depth += 1
      if (depth > MAX_JSON_DEPTH) return true
    } else if (code === 125 || code === 93) depth -= 1
  }
  return false
}
