import { AppError, type ErrorCode } from '../../contract/errors.ts'
import { isObject, type Json } from '../../contract/json.ts'
import type { Candidate } from '../features/catalog/snapshot.ts'
import { describeError } from '../lib/log.ts'
import { OutboundBlocked } from '../lib/outbound.ts'
import { readBounded } from './bounded.ts'
import { endpointOf, suitedBody } from './endpoint.ts'
import type { AdmittedCall, Attempt, UpstreamAnswer } from './call.ts'
import type { RelayDeps } from './deps.ts'
import { publicMessage } from './faults.ts'
import { MAX_ANSWER_BYTES, MAX_ERROR_BYTES } from './limits.ts'
import type { Fault, Loss } from './protocols/canonical.ts'
import { protocols } from './protocols/index.ts'
import { inClientWords } from './protocols/places.ts'
import type { Protocol } from './protocols/protocol.ts'
import { parseSse } from './protocols/sse.ts'

/** The call could not be served: what the client is told, what was tried, and whether another channel may be. */
export class DispatchError extends Error {
  override readonly name = 'DispatchError'
  readonly failure: AppError
  readonly attempts: Attempt[]
  readonly candidate: Candidate | undefined

  constructor(failure: AppError, attempts: Attempt[], candidate: Candidate | undefined) {
    super(failure.message, { cause: failure.cause })
    this.failure = failure
    this.attempts = attempts
    this.candidate = candidate
  }
}

/** One try failed before anything reached the client. `retry`: another channel may do better. */
export class AttemptFailed extends Error {
  override readonly name = 'AttemptFailed'
  readonly failure: AppError
  readonly retry: boolean
  readonly status: number | null

  constructor(failure: AppError, retry: boolean, status: number | null) {
    super(failure.message)
    this.failure = failure
    this.retry = retry
    this.status = status
  }
}

/**
 * Sends the call to the first channel that answers well: patched on the same-protocol road, translated otherwise. The
 * next channel is tried only before the first byte, each at most once.
 * @throws DispatchError when no channel answered
 */
export function dispatch(call: AdmittedCall, order: readonly Candidate[], deps: RelayDeps): Promise<UpstreamAnswer> {
  return tryEach(call, order, deps, attempt)
}

/** One try on one channel. @throws AttemptFailed, or whatever the network throws */
export type Try<T> = (call: AdmittedCall, candidate: Candidate, deps: RelayDeps) => Promise<T>

/**
 * The first channel's answer that is good, with all attempts.
 * @throws DispatchError when no channel answered
 */
export async function tryEach<T extends { response: Response }>(
  call: AdmittedCall,
  order: readonly Candidate[],
  deps: RelayDeps,
  attemptOn: Try<T>,
): Promise<T & { attempts: Attempt[] }> {
  const attempts: Attempt[] = []
  let failure: AppError | undefined
  let last: Candidate | undefined
  for (const candidate of order) {
    last = candidate
    const startedMs = deps.clock.monotonic()
    const note = (outcome: Attempt['outcome'], status: number | null, error: string): void => {
      attempts.push({
        channelId: candidate.channel.id,
        channel: candidate.channel.name,
        upstreamModel: candidate.upstreamModel,
        status,
        outcome,
        error,
        startedMs: Math.round(startedMs - call.startedMs),
        durationMs: Math.round(deps.clock.monotonic() - startedMs),
      })
    }
    try {
      const answer = await attemptOn(call, candidate, deps)
      note('ok', answer.response.status, '')
      return { ...answer, attempts }
    } catch (error) {
      if (call.peek.stream && call.clientSignal.aborted) {
        note('aborted', null, 'the client left')
        throw new DispatchError(new AppError('upstream_failed', { cause: error }), attempts, candidate)
      }
      const failed = error instanceof AttemptFailed ? error : networkFailure(error)
      note('failed', failed.status, failed.failure.cause === undefined ? failed.failure.message : describeError(failed.failure.cause))
      failure = failed.failure
      if (!failed.retry) break
    }
  }
  throw new DispatchError(failure ?? new AppError('no_channel'), attempts, last)
}

async function attempt(call: AdmittedCall, candidate: Candidate, deps: RelayDeps): Promise<Omit<UpstreamAnswer, 'attempts'>> {
  const upstream: Protocol = protocols[candidate.channel.protocol]
  const { stream } = call.peek
  const { body, losses } = requestBody(call, candidate, upstream)
  const abort = new AbortController()
  // A stream is given up with its client. A whole answer is not: the upstream bills it, so it is read and settled.
  const clientLeft = (): void => abort.abort()
  if (stream) call.clientSignal.addEventListener('abort', clientLeft, { once: true })
  const limitMs = deps.settings.integer('reliability_first_byte_timeout_seconds') * 1000
  let late = false
  const timer = setTimeout(() => {
    late = true
    abort.abort()
  }, limitMs)
  try {
    const { url, headers } = endpointOf(candidate.channel, { model: candidate.upstreamModel, stream })
    const forwarded = upstream === call.ingress.protocol ? call.forwardHeaders : undefined
    const response = await deps.fetch(url, {
      method: 'POST',
      body,
      signal: abort.signal,
      headers: {
        ...headers(candidate.channel.key),
        ...forwarded,
        'content-type': 'application/json',
        accept: stream ? 'text/event-stream' : 'application/json',
      },
    })
    if (response.status !== 200) throw await refused(response, upstream, candidate, call)
    const isEvents = response.headers.get('content-type')?.includes('text/event-stream') === true
    if (stream && isEvents) {
      const reader = (response.body ?? emptyBody()).getReader()
      const { value: first } = await reader.read()
      if (first === undefined)
        throw new AttemptFailed(new AppError('upstream_invalid', { cause: 'the stream ended before its first event' }), true, 200)
      const fault = firstFault(first, upstream)
      if (fault) throw faultFailure(fault, call, candidate, 200)
      return { candidate, response, abort, losses, stream: { reader, first }, whole: undefined }
    }
    if (stream !== isEvents) {
      await response.body?.cancel()
      throw new AttemptFailed(
        new AppError('upstream_invalid', {
          cause: stream ? 'a stream was asked for, the answer is none' : 'no stream was asked for, the answer is one',
        }),
        true,
        200,
      )
    }
    const bytes = await readBounded(response, MAX_ANSWER_BYTES)
    if (bytes === undefined)
      throw new AttemptFailed(new AppError('upstream_invalid', { cause: 'the answer is larger than 64 MiB' }), false, 200)
    const json = parsed(bytes)
    if (!isObject(json)) throw new AttemptFailed(new AppError('upstream_invalid', { cause: 'the answer is not a JSON object' }), true, 200)
    const inside = upstream.bodyFault?.(json)
    if (inside) throw faultFailure(inside, call, candidate, 200)
    return { candidate, response, abort, losses, stream: undefined, whole: { bytes, json } }
  } catch (error) {
    abort.abort()
    if (late) throw new AttemptFailed(new AppError('upstream_timeout', { cause: `no answer within ${limitMs} ms` }), true, null)
    throw error
  } finally {
    clearTimeout(timer)
    if (stream) call.clientSignal.removeEventListener('abort', clientLeft)
  }
}

/** The client's own bytes when nothing has to change; patched or translated otherwise. */
function requestBody(call: AdmittedCall, candidate: Candidate, upstream: Protocol): { body: Uint8Array | string; losses: readonly Loss[] } {
  const { protocol } = call.ingress
  if (upstream === protocol) {
    const losses: Loss[] = [...call.losses]
    const patched = suitedBody(
      protocol.patch(call.body, { model: candidate.upstreamModel, stream: call.peek.stream, losses }),
      candidate.channel,
    )
    return { body: patched === call.body && call.bytes ? call.bytes : JSON.stringify(patched), losses }
  }
  const turn = protocol.decodeRequest(call.body, call.ingress.path)
  const { body, losses } = upstream.encodeRequest({ ...turn, model: candidate.upstreamModel, stream: call.peek.stream })
  const patched = suitedBody(upstream.patch(body, { model: candidate.upstreamModel, stream: call.peek.stream }), candidate.channel)
  return { body: JSON.stringify(patched), losses: [...call.losses, ...inClientWords(losses, turn, protocol.words)] }
}

/** An error status of the upstream, read within a limit. */
export async function refused(response: Response, upstream: Protocol, candidate: Candidate, call: AdmittedCall): Promise<AttemptFailed> {
  const bytes = await readBounded(response, MAX_ERROR_BYTES).catch(() => undefined)
  const fault = upstream.decodeError(response.status, bytes === undefined ? undefined : parsed(bytes))
  const retryAfter = Number(response.headers.get('retry-after'))
  return faultFailure(
    Number.isFinite(retryAfter) && retryAfter > 0 ? { ...fault, retryAfterSeconds: Math.ceil(retryAfter) } : fault,
    call,
    candidate,
    response.status,
  )
}

/**
 * What the customer is told of an upstream's fault (W70, W71): his own mistake stays his 400 with the upstream's words;
 * trouble with our key, our credit or the upstream itself is a 502 or 503, and the next channel is tried.
 */
function faultFailure(fault: Fault, call: AdmittedCall, candidate: Candidate, status: number): AttemptFailed {
  const fail = (code: ErrorCode, retry: boolean, options: ConstructorParameters<typeof AppError>[1] = {}): AttemptFailed =>
    new AttemptFailed(new AppError(code, { cause: `upstream ${status}: ${fault.message}`, ...options }), retry, status)
  switch (fault.kind) {
    case 'invalid_request':
    case 'content_policy':
    case 'too_large':
      return fail(fault.kind === 'too_large' ? 'body_too_large' : 'upstream_refused', false, {
        message: publicMessage(fault.message, call.model.name, candidate),
        ...(fault.param === undefined ? {} : { param: fault.param }),
      })
    case 'rate_limit':
    case 'overloaded':
    case 'authentication':
    case 'permission':
    case 'insufficient_balance':
    case 'unavailable':
      return fail('upstream_unavailable', true, fault.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: fault.retryAfterSeconds })
    case 'timeout':
      return fail('upstream_timeout', true)
    case 'not_found':
    case 'upstream':
    case 'internal':
      return fail('upstream_failed', true)
  }
}

/** An error that comes instead of an answer stands in the first event; the rest of what arrived with it is read once, on its way. */
const FIRST_BYTES = 4_096

/** An error event in the first bytes of a stream: nothing was delivered yet, the next channel may do better. */
function firstFault(bytes: Uint8Array, upstream: Protocol): Fault | undefined {
  const parser = parseSse()
  for (const frame of parser.push(bytes.subarray(0, FIRST_BYTES))) {
    const { fault, content } = upstream.tap(frame)
    if (fault) return fault
    if (content) return undefined
  }
  return undefined
}

function networkFailure(error: unknown): AttemptFailed {
  if (error instanceof OutboundBlocked) return new AttemptFailed(new AppError('upstream_blocked', { cause: error }), true, null)
  return new AttemptFailed(new AppError('upstream_failed', { cause: error }), true, null)
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
