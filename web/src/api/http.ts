import type { ErrorCode } from '../../../contract/errors.ts'
import { readToken } from './session.ts'

/** A failed call, in the words of the server and with what support needs to find it. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** HTTP status; 0 when the server was not reached at all. */
  readonly status: number
  readonly code: ErrorCode | 'offline' | undefined
  readonly requestId: string | undefined
  readonly retryAfterSeconds: number | undefined
  /** What else the answer says, such as the challenge of a second factor. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    message: string,
    options: {
      status: number
      code?: ErrorCode | 'offline'
      requestId?: string
      retryAfterSeconds?: number
      details?: Readonly<Record<string, unknown>>
    },
  ) {
    super(message)
    this.status = options.status
    this.code = options.code
    this.requestId = options.requestId
    this.retryAfterSeconds = options.retryAfterSeconds
    this.details = options.details ?? {}
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

interface CallOptions {
  readonly body?: unknown
  readonly signal?: AbortSignal
  /** Replaces the session: the gateway is called with an API key. */
  readonly bearer?: string
  readonly accept?: string
}

type Listener = () => void
const sessionEnded = new Set<Listener>()

/** Called when an answer says that the session is over; the shell then asks to sign in again, in place. */
export function onSessionEnded(listener: Listener): () => void {
  sessionEnded.add(listener)
  return () => sessionEnded.delete(listener)
}

/**
 * Sends a request of the console.
 * @throws ApiError for every answer that is not 2xx and when the server cannot be reached
 */
export async function send(method: Method, path: string, options: CallOptions = {}): Promise<Response> {
  const headers = new Headers({ accept: options.accept ?? 'application/json' })
  const bearer = options.bearer ?? readToken()
  if (bearer !== undefined) headers.set('authorization', `Bearer ${bearer}`)
  if (options.body !== undefined) headers.set('content-type', 'application/json')
  let response: Response
  try {
    response = await fetch(path, {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
    })
  } catch (cause) {
    if (options.signal?.aborted) throw cause
    throw new ApiError('The server could not be reached', { status: 0, code: 'offline' })
  }
  if (response.ok) return response
  const error = await readError(response)
  if (response.status === 401 && options.bearer === undefined && bearer !== undefined) for (const listener of sessionEnded) listener()
  throw error
}

/** Sends and reads JSON. The type is the contract's promise; the server's own tests hold it. */
export async function call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
  const response = await send(method, path, options)
  return (await response.json()) as T
}

async function readError(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '')
  const { message, code, requestId, details } = parseErrorBody(text)
  const retryAfter = Number(response.headers.get('retry-after'))
  return new ApiError(message ?? `HTTP ${response.status}`, {
    status: response.status,
    code,
    details,
    requestId: requestId ?? response.headers.get('x-tollgate-request-id') ?? response.headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : undefined,
  })
}

/**
 * Reads `{"error":"text","code","request_id"}` of the console's addresses and the native
 * `{"error":{"message","code"}}` of the gateway's.
 */
export function parseErrorBody(text: string): {
  message?: string
  code?: ErrorCode
  requestId?: string
  details?: Readonly<Record<string, unknown>>
} {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return {}
  }
  if (typeof body !== 'object' || body === null) return {}
  const { error, message, code, request_id: requestId } = body as Record<string, unknown>
  const inner = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : { message: error, code }
  const found = typeof inner.message === 'string' ? inner.message : typeof message === 'string' ? message : undefined
  return {
    message: found,
    code: typeof inner.code === 'string' ? (inner.code as ErrorCode) : undefined,
    requestId: typeof requestId === 'string' ? requestId : undefined,
    details: body as Record<string, unknown>,
  }
}
