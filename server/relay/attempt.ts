import { AppError, type ErrorCode } from '../../contract/errors.ts'
import { isObject, type Json } from '../../contract/json.ts'
import type { Candidate } from '../features/catalog/snapshot.ts'
import { asAppError } from '../http/errors.ts'
import { OutboundBlocked } from '../lib/outbound.ts'
import { readBounded } from './bounded.ts'
import type { AdmittedCall, UpstreamAnswer } from './call.ts'
import { sendTo } from './clouds/index.ts'
import type { RelayDeps } from './deps.ts'
import { endpointOf } from './endpoint.ts'
import { withoutCustomersWords } from './customer-words.ts'
import { publicMessage, unreadable, withoutKey } from './faults.ts'
import { MAX_ANSWER_BYTES, MAX_ERROR_BYTES } from './limits.ts'
import { readPrelude } from './prelude.ts'
import type { Fault } from './protocols/canonical.ts'
import { protocols } from './protocols/index.ts'
import { WireError, type Protocol } from './protocols/protocol.ts'
import type { Blame } from './routing/health.ts'
import { ownBody, ownBodyWithMedia, refusesUrls, translatedBody, type SentBody } from './sent-body.ts'

/** One try failed before anything reached the client. `retry`: another channel may do better. */
export class AttemptFailed extends Error {
  override readonly name = 'AttemptFailed'
  readonly failure: AppError
  readonly retry: boolean
  readonly status: number | null
  /** Whom it counts against. */
  readonly blame: Blame

  constructor(failure: AppError, retry: boolean, status: number | null, blame: Blame = 'model') {
    super(failure.message)
    this.failure = failure
    this.retry = retry
    this.status = status
    this.blame = blame
  }
}

/** What one try must keep to. */
export interface TryLimits {
  /** For the first byte. */
  firstByteMs: number
  /** Someone else answered, or nobody waits any more. */
  signal: AbortSignal | undefined
  /** Another channel is left: what a stream says before its content is kept back, so that it can still be tried there. */
  hold: boolean
}

/** One conversation's call on one channel: patched on the same-protocol road, translated otherwise. */
export async function attempt(
  call: AdmittedCall,
  candidate: Candidate,
  deps: RelayDeps,
  { firstByteMs, signal, hold }: TryLimits,
): Promise<Omit<UpstreamAnswer, 'attempts'>> {
  const upstream: Protocol = protocols[candidate.channel.protocol]
  const { stream } = call.peek
  const own = upstream === call.ingress.protocol
  let sent: SentBody
  try {
    if (!own) sent = await translatedBody(call, candidate, upstream, deps)
    else sent = refusesUrls(candidate) ? await ownBodyWithMedia(call, candidate, deps) : ownBody(call, candidate)
  } catch (error) {
    throw notTheirs(error)
  }
  const { body, losses } = sent
  const abort = new AbortController()
  // A stream is given up with its client. A whole answer is not: the upstream bills it, so it is read and settled.
  const giveUp = (): void => abort.abort()
  if (stream) call.clientSignal.addEventListener('abort', giveUp, { once: true })
  signal?.addEventListener('abort', giveUp, { once: true })
  let late = false
  let stalled = false
  const timer = setTimeout(() => {
    late = true
    abort.abort()
  }, firstByteMs)
  try {
    const { url, headers } = endpointOf(candidate.channel, { model: candidate.upstreamModel, stream })
    const forwarded = own ? call.forwardHeaders : undefined
    const request = {
      method: 'POST',
      body,
      signal: abort.signal,
      headers: {
        ...headers(candidate.channel.key),
        ...forwarded,
        'content-type': 'application/json',
        accept: stream ? 'text/event-stream' : 'application/json',
      },
    }
    const response = await sendTo(candidate.channel, url, request, deps)
    if (response.status !== 200) throw await refused(response, upstream, candidate, call)
    const isEvents = response.headers.get('content-type')?.includes('text/event-stream') === true
    if (stream && isEvents) {
      const reader = (response.body ?? emptyBody()).getReader()
      const { frames, parser, fault, ended } = await readPrelude(reader, upstream, {
        hold,
        begun: () => clearTimeout(timer),
        idleMs: deps.settings.integer('reliability_stream_idle_timeout_seconds') * 1000,
        giveUp() {
          stalled = true
          abort.abort()
        },
      })
      if (fault) throw faultFailure(fault, call, candidate, 200)
      if (ended) throw invalid(`the stream ended before its ${frames.length === 0 ? 'first event' : 'content'}`)
      return { candidate, response, abort, losses, stream: { reader, parser, frames }, whole: undefined }
    }
    if (stream !== isEvents) {
      await response.body?.cancel()
      throw invalid(stream ? 'a stream was asked for, the answer is none' : 'no stream was asked for, the answer is one')
    }
    const bytes = await readBounded(response, MAX_ANSWER_BYTES)
    if (bytes === undefined)
      throw new AttemptFailed(new AppError('upstream_invalid', { cause: 'the answer is larger than 64 MiB' }), false, 200)
    const json = parsed(bytes)
    if (!isObject(json)) throw invalid('the answer is not a JSON object')
    const inside = upstream.bodyFault?.(json)
    if (inside) throw faultFailure(inside, call, candidate, 200)
    return { candidate, response, abort, losses, stream: undefined, whole: { bytes, json } }
  } catch (error) {
    abort.abort()
    if (late) throw timedOut(firstByteMs)
    if (stalled)
      throw new AttemptFailed(new AppError('upstream_timeout', { cause: 'the stream fell silent before its content' }), true, 200)
    throw error
  } finally {
    clearTimeout(timer)
    if (stream) call.clientSignal.removeEventListener('abort', giveUp)
    signal?.removeEventListener('abort', giveUp)
  }
}

function invalid(cause: string): AttemptFailed {
  return new AttemptFailed(new AppError('upstream_invalid', { cause }), true, 200)
}

/** The upstream was silent for so long. */
export function timedOut(limitMs: number): AttemptFailed {
  return new AttemptFailed(new AppError('upstream_timeout', { cause: `no answer within ${limitMs} ms` }), true, null)
}

/**
 * The body could not be put into the upstream's words: the client's mistake or ours, and no channel's. None can do better, but for a
 * file that could not be fetched: the next upstream may take its address.
 */
function notTheirs(error: unknown): AttemptFailed {
  const failure = error instanceof WireError ? unreadable(error) : asAppError(error)
  return new AttemptFailed(failure, failure.code === 'media_unavailable', null, 'nobody')
}

/** An error status of the upstream, read within a limit. */
export async function refused(response: Response, upstream: Protocol, candidate: Candidate, call: AdmittedCall): Promise<AttemptFailed> {
  const bytes = await readBounded(response, MAX_ERROR_BYTES).catch(() => undefined)
  const fault = upstream.decodeError(response.status, bytes === undefined ? undefined : parsed(bytes))
  const wait = retryAfterOf(response.headers)
  return faultFailure(wait === undefined ? fault : { ...fault, retryAfterSeconds: wait }, call, candidate, response.status)
}

/** Seconds an upstream asks to wait: `retry-after-ms` (OpenAI, Azure), or `retry-after` as seconds or as a date (RFC 9110, 10.2.3) by its own clock. */
export function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get('retry-after') ?? ''
  const exact = Number(headers.get('retry-after-ms') ?? Number.NaN) / 1000
  const seconds = Number.isFinite(exact)
    ? exact
    : /^\d+(\.\d+)?$/.test(text)
      ? Number(text)
      : (Date.parse(text) - Date.parse(headers.get('date') ?? '')) / 1000
  return Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : undefined
}

/**
 * What the customer is told of an upstream's fault (W70, W71): his own mistake stays his 400 with the upstream's words;
 * trouble with our key, our credit or the upstream itself is a 502 or 503, and the next channel is tried.
 */
function faultFailure(fault: Fault, call: AdmittedCall, candidate: Candidate, status: number): AttemptFailed {
  const fail = (code: ErrorCode, blame: Blame, options: ConstructorParameters<typeof AppError>[1] = {}): AttemptFailed =>
    new AttemptFailed(
      new AppError(code, { cause: `upstream ${status}: ${withoutCustomersWords(withoutKey(fault.message, candidate), call)}`, ...options }),
      blame !== 'nobody',
      status,
      blame,
    )
  const wait = fault.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: fault.retryAfterSeconds }
  switch (fault.kind) {
    case 'invalid_request':
    case 'content_policy':
    case 'too_large':
      return fail(fault.kind === 'too_large' ? 'body_too_large' : 'upstream_refused', 'nobody', {
        message: publicMessage(fault.message, call.model.name, candidate),
        ...(fault.param === undefined ? {} : { param: fault.param }),
      })
    case 'authentication':
    case 'insufficient_balance':
      return fail('upstream_unavailable', 'key_refused', wait)
    case 'rate_limit':
      return fail('upstream_unavailable', 'rate_limit', wait)
    case 'overloaded':
    case 'permission':
    case 'unavailable':
      return fail('upstream_unavailable', 'model', wait)
    case 'timeout':
      return fail('upstream_timeout', 'model')
    case 'not_found':
    case 'upstream':
    case 'internal':
      return fail('upstream_failed', 'model')
  }
}

/** What the network threw. A target that may not be called is a fault of the channel as it is set up. */
export function networkFailure(error: unknown): AttemptFailed {
  if (error instanceof OutboundBlocked) return new AttemptFailed(new AppError('upstream_blocked', { cause: error }), true, null, 'channel')
  return new AttemptFailed(new AppError('upstream_failed', { cause: error }), true, null, 'channel')
}

/** JSON of a body, or undefined when it is none. */
export function parsed(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Json
  } catch {
    return undefined
  }
}

function emptyBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() })
}
