import { sendTo } from '../clouds/index.ts'
import { AppError } from '../../../contract/errors.ts'
import { isObject, type JsonObject } from '../../../contract/json.ts'
import type { Candidate } from '../../features/catalog/snapshot.ts'
import { readBounded } from '../bounded.ts'
import type { AdmittedCall } from '../call.ts'
import type { RelayDeps } from '../deps.ts'
import { AttemptFailed, parsed, refused, timedOut } from '../attempt.ts'
import { MAX_ANSWER_BYTES } from '../limits.ts'
import { protocols } from '../protocols/index.ts'
import type { ServiceRequest } from './service.ts'

/** An upstream's good answer: whole with its JSON or text, or the stream of something else. */
export interface ServiceAnswer {
  readonly candidate: Candidate
  readonly response: Response
  /** Ends the upstream's work. */
  readonly abort: AbortController
  readonly whole: { bytes: Uint8Array; json: JsonObject | undefined } | undefined
  readonly stream: { reader: ReadableStreamDefaultReader<Uint8Array>; first: Uint8Array | undefined } | undefined
}

/** Content that is read whole; everything else (sound, events) goes through as it comes. */
const WHOLE = /^(application\/json|text\/(?!event-stream)|application\/x-subrip)/i

/**
 * Sends one request of a service. A client that leaves does not stop it: the upstream bills it, so it is read and settled.
 * @throws AttemptFailed, or whatever the network throws
 */
export async function sendService(
  request: ServiceRequest,
  call: AdmittedCall,
  candidate: Candidate,
  deps: RelayDeps,
  firstByteMs: number,
): Promise<ServiceAnswer> {
  const abort = new AbortController()
  let late = false
  const timer = setTimeout(() => {
    late = true
    abort.abort()
  }, firstByteMs)
  try {
    const response = await sendTo(
      candidate.channel,
      request.url,
      {
        method: 'POST',
        body: request.body,
        signal: abort.signal,
        headers: { ...request.headers, 'content-type': request.contentType },
      },
      deps,
    )
    if (!response.ok) throw await refused(response, protocols[candidate.channel.protocol], candidate, call)
    if (!WHOLE.test(response.headers.get('content-type') ?? 'application/json')) {
      const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined
      const first = await reader?.read()
      if (!reader || !first?.value)
        throw new AttemptFailed(new AppError('upstream_invalid', { cause: 'the answer is empty' }), true, response.status)
      return { candidate, response, abort, whole: undefined, stream: { reader, first: first.value } }
    }
    const bytes = await readBounded(response, MAX_ANSWER_BYTES)
    if (bytes === undefined)
      throw new AttemptFailed(new AppError('upstream_invalid', { cause: 'the answer is larger than 64 MiB' }), false, response.status)
    const json = jsonOf(bytes, response)
    const upstream = protocols[candidate.channel.protocol]
    // Some vendors say their errors with a status of success.
    if (json && upstream.bodyFault?.(json)) throw await refused(new Response(bytes as BodyInit, { status: 502 }), upstream, candidate, call)
    return { candidate, response, abort, whole: { bytes, json }, stream: undefined }
  } catch (error) {
    abort.abort()
    if (late) throw timedOut(firstByteMs)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** @throws AttemptFailed when the upstream promised JSON and sent none */
function jsonOf(bytes: Uint8Array, response: Response): JsonObject | undefined {
  if (response.headers.get('content-type')?.startsWith('text/')) return undefined
  const json = parsed(bytes)
  if (isObject(json)) return json
  throw new AttemptFailed(new AppError('upstream_invalid', { cause: 'the answer is not a JSON object' }), true, response.status)
}
