import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Fault } from '../canonical.ts'
import type { Frame } from '../protocol.ts'
import { STATUSES } from '../statuses.ts'
import { text } from './wire.ts'
import { words } from '../../../../contract/words.ts'

/** Anthropic's error types with their statuses (platform.claude.com, errors). */
const TYPES = words<{ kind: Fault['kind']; status: number }>({
  invalid_request_error: { kind: 'invalid_request', status: 400 },
  authentication_error: { kind: 'authentication', status: 401 },
  billing_error: { kind: 'insufficient_balance', status: 402 },
  permission_error: { kind: 'permission', status: 403 },
  not_found_error: { kind: 'not_found', status: 404 },
  conflict_error: { kind: 'invalid_request', status: 409 },
  request_too_large: { kind: 'too_large', status: 413 },
  rate_limit_error: { kind: 'rate_limit', status: 429 },
  api_error: { kind: 'upstream', status: 500 },
  timeout_error: { kind: 'timeout', status: 504 },
  overloaded_error: { kind: 'overloaded', status: 529 },
})

const WORDS: Record<Fault['kind'], string> = {
  invalid_request: 'invalid_request_error',
  authentication: 'authentication_error',
  permission: 'permission_error',
  not_found: 'not_found_error',
  too_large: 'request_too_large',
  rate_limit: 'rate_limit_error',
  insufficient_balance: 'billing_error',
  content_policy: 'invalid_request_error',
  overloaded: 'overloaded_error',
  unavailable: 'api_error',
  timeout: 'timeout_error',
  upstream: 'api_error',
  internal: 'api_error',
}

/** Message bodies of proxies go on for pages; a customer needs the beginning. */
const MAX_MESSAGE_CHARS = 4000

/**
 * Reads an error of the upstream: the status it came with, or for one inside a 200 (a stream's `error` event) that of its type.
 * What an upstream says of our own key is told apart by `kind`; hiding it from the customer is the caller's part.
 */
export function decodeError(status: number, body: Json | undefined): Fault {
  const error = isObject(body) && isObject(body.error) ? body.error : undefined
  const type = text(error?.type)
  const known = type === undefined ? undefined : TYPES[type]
  const byStatus = STATUSES[status] ?? (status >= 500 ? 'upstream' : status >= 400 ? 'invalid_request' : undefined)
  // Vendors write these two over every error; there the status knows better.
  const vague = known?.kind === 'invalid_request' || known?.kind === 'upstream'
  const kind = (vague ? (byStatus ?? known.kind) : (known?.kind ?? byStatus)) ?? 'upstream'
  const plain = isObject(body) ? (text(body.error) ?? text(body.message)) : undefined
  const code = isObject(error?.details) ? text(error.details.error_code) : text(error?.code)
  const message = text(error?.message) || plain || 'The upstream failed without saying why'
  return {
    kind,
    status: status >= 400 ? status : (known?.status ?? 502),
    message: message.slice(0, MAX_MESSAGE_CHARS),
    ...(code === undefined ? {} : { code }),
  }
}

/** The fault in a body that came with 200: gateways in between answer so. */
export function bodyFault(body: JsonObject): Fault | undefined {
  return body.type === 'error' || isObject(body.error) ? decodeError(200, body) : undefined
}

/** Writes a fault as Anthropic's error object. Overload has a status of its own there, which clients retry on. */
export function encodeError(fault: Fault, requestId: string): { status: number; body: JsonObject } {
  // A policy that forbids the call (403) is a matter of permission; one that calls the prompt unfit (400) is the request's.
  const type = fault.kind === 'content_policy' && fault.status === 403 ? 'permission_error' : WORDS[fault.kind]
  const body = { type: 'error', error: { type, message: fault.message }, request_id: requestId }
  return { status: fault.kind === 'overloaded' ? 529 : fault.status, body }
}

/** The event that breaks a stream off; no `message_stop` follows it. */
export function encodeStreamError(fault: Fault, requestId: string): Frame[] {
  return [{ event: 'error', data: JSON.stringify(encodeError(fault, requestId).body) }]
}
