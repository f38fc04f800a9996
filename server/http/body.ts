import { AppError } from '../../contract/errors.ts'
import { isObject } from '../../contract/json.ts'
import { collect, type Pace } from './collect.ts'

/** 32 MiB (contract.md 1.1): agents' long talks reach megabytes, images more; anything above is refused with 413. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024
/** Whoever is not signed in sends names, codes and signatures: the largest, a passkey's attestation, has some kilobytes. */
export const MAX_PUBLIC_BODY_BYTES = 256 * 1024
/** Deeper JSON is an attack on recursive readers, no client sends it. */
const MAX_JSON_DEPTH = 200
/** Objects and arrays cost some forty times their two bytes; a talk of ten thousand messages has a fifth of these. */
const MAX_JSON_CONTAINERS = 250_000
/** Members and elements: a batch of token numbers, the largest honest list, has 300,000. */
const MAX_JSON_ITEMS = 2_000_000

/**
 * Reads the body within the limit and at no less than the pace, whatever length the caller claimed.
 * @throws AppError body_too_large | request_timeout | unsupported_media | bad_request
 */
export async function readBody(request: Request, maxBytes = MAX_BODY_BYTES, pace?: Pace): Promise<Uint8Array> {
  const encoding = request.headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity') {
    throw new AppError('unsupported_media', {
      message: `content-encoding ${encoding.slice(0, 40)} is not supported; send the body uncompressed`,
    })
  }
  let bytes: Awaited<ReturnType<typeof collect>>
  try {
    bytes = await collect(request, maxBytes, pace)
  } catch (cause) {
    throw new AppError('bad_request', { message: 'Failed to read request body', cause })
  }
  if (bytes === 'too slow') throw new AppError('request_timeout')
  if (bytes === 'too large')
    throw new AppError(
      'body_too_large',
      maxBytes === MAX_BODY_BYTES ? {} : { message: `The request body is larger than ${maxBytes >> 10} KiB` },
    )
  return bytes
}

/**
 * Parses JSON text of a caller.
 * @throws AppError bad_json, also for JSON nested deeper, or of more parts, than any client needs
 */
export function parseBody(bytes: Uint8Array): unknown {
  return readJson(bytes).value
}

/**
 * The same; `repeats` where an object names a member of its own twice: we read the last, others may read the first (RFC 8259, 4),
 * so that the text itself is not to be sent on.
 * @throws AppError bad_json
 */
export function readJson(bytes: Uint8Array): { value: unknown; repeats: boolean } {
  const text = new TextDecoder().decode(bytes)
  const commas = commasOf(text)
  if (commas === undefined)
    throw new AppError('bad_json', { message: `The request body is nested deeper than ${MAX_JSON_DEPTH} levels or has too many parts` })
  try {
    const value: unknown = JSON.parse(text)
    return { value, repeats: commas > 0 && isObject(value) && Object.keys(value).length <= commas }
  } catch (cause) {
    throw new AppError('bad_json', { cause })
  }
}

/** Whether a JSON text nests deeper, or has more parts, than any we read. */
export function tooDeep(text: string): boolean {
  return commasOf(text) === undefined
}

/** How many commas part the members of a JSON text's outermost value: in one pass, whatever it holds; undefined: it is too deep. */
function commasOf(text: string): number | undefined {
  let outer = 0
  let depth = 0
  let containers = 0
  let items = 0
  // Looked for again only once it was passed: looking from each string would cost the square of the text's length.
  let escape = text.indexOf('\\')
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === 34) {
      // Most of a body is strings: jump to the quote that closes this one.
      for (;;) {
        const close = text.indexOf('"', index + 1)
        if (close < 0) return outer
        while (escape >= 0 && escape <= index) escape = text.indexOf('\\', index + 1)
        if (escape < 0 || escape > close) {
          index = close
          break
        }
        // The character after the backslash is part of the string, whatever it is.
        index = escape + 1
      }
    } else if (code === 123 || code === 91) {
      depth += 1
      containers += 1
      if (depth > MAX_JSON_DEPTH || containers > MAX_JSON_CONTAINERS) return undefined
    } else if (code === 125 || code === 93) depth -= 1
    else if (code === 44) {
      items += 1
      if (depth === 1) outer += 1
      if (items > MAX_JSON_ITEMS) return undefined
    }
  }
  return outer
}
