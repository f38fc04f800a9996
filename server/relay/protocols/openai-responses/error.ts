import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Fault } from '../canonical.ts'
import type { Frame } from '../protocol.ts'
import { STATUSES } from '../statuses.ts'
import { text } from './wire.ts'
import { words } from '../../../../contract/words.ts'

/** What OpenAI's error codes and types mean (platform.openai.com, error codes; `response.error.code`; Codex' `server_is_overloaded`). */
const WORDS = words<{ kind: Fault['kind']; status: number }>({
  insufficient_quota: { kind: 'insufficient_balance', status: 402 },
  billing_hard_limit_reached: { kind: 'insufficient_balance', status: 402 },
  billing_not_active: { kind: 'insufficient_balance', status: 402 },
  invalid_api_key: { kind: 'authentication', status: 401 },
  authentication_error: { kind: 'authentication', status: 401 },
  permission_error: { kind: 'permission', status: 403 },
  permission_denied: { kind: 'permission', status: 403 },
  insufficient_permissions: { kind: 'permission', status: 403 },
  unsupported_country_region_territory: { kind: 'permission', status: 403 },
  model_not_found: { kind: 'not_found', status: 404 },
  not_found_error: { kind: 'not_found', status: 404 },
  request_too_large: { kind: 'too_large', status: 413 },
  rate_limit_exceeded: { kind: 'rate_limit', status: 429 },
  rate_limit_error: { kind: 'rate_limit', status: 429 },
  slow_down: { kind: 'overloaded', status: 503 },
  server_is_overloaded: { kind: 'overloaded', status: 503 },
  overloaded_error: { kind: 'overloaded', status: 503 },
  content_filter: { kind: 'content_policy', status: 400 },
  content_policy_violation: { kind: 'content_policy', status: 400 },
  image_content_policy_violation: { kind: 'content_policy', status: 400 },
  bio_policy: { kind: 'content_policy', status: 400 },
  cyber_policy: { kind: 'content_policy', status: 400 },
  misalignment_policy_violation: { kind: 'content_policy', status: 400 },
  timeout: { kind: 'timeout', status: 504 },
  vector_store_timeout: { kind: 'timeout', status: 504 },
  server_error: { kind: 'upstream', status: 502 },
  api_error: { kind: 'upstream', status: 502 },
  invalid_request_error: { kind: 'invalid_request', status: 400 },
})

/** `response.error.code` values that blame what the caller sent; they come without a status. */
const CALLERS_FAULT = /^(invalid_|unsupported_|image_|empty_image|failed_to_download|context_length|string_above|missing_)/

/** OpenAI's type and usual code for each kind of fault. */
const SPOKEN: Record<Fault['kind'], { type: string; code: string | null; fixed?: boolean }> = {
  invalid_request: { type: 'invalid_request_error', code: null },
  authentication: { type: 'invalid_request_error', code: 'invalid_api_key', fixed: true },
  permission: { type: 'invalid_request_error', code: 'insufficient_permissions' },
  not_found: { type: 'invalid_request_error', code: 'model_not_found' },
  too_large: { type: 'invalid_request_error', code: 'request_too_large', fixed: true },
  rate_limit: { type: 'rate_limit_error', code: 'rate_limit_exceeded', fixed: true },
  insufficient_balance: { type: 'insufficient_quota', code: 'insufficient_quota', fixed: true },
  content_policy: { type: 'invalid_request_error', code: 'content_policy_violation' },
  overloaded: { type: 'server_error', code: 'server_is_overloaded', fixed: true },
  unavailable: { type: 'server_error', code: 'service_unavailable', fixed: true },
  timeout: { type: 'server_error', code: 'timeout', fixed: true },
  upstream: { type: 'server_error', code: 'server_error', fixed: true },
  internal: { type: 'server_error', code: 'server_error', fixed: true },
}
/** Codes in other makers' style: they would mean nothing to an OpenAI client. */
const FOREIGN_CODE = /_error$|^[A-Z_]+$/

/**
 * Reads an error of the upstream: an error body, a body of a failed response, or an `error` event. Inside a 200 the status is that of
 * its code. What an upstream says of our own key is told apart by `kind`; hiding it from the customer is the caller's part.
 */
export function decodeError(status: number, body: Json | undefined): Fault {
  const error = errorOf(body)
  const code = text(error.code)
  const type = text(error.type)
  const known = lookup(code) ?? lookup(type)
  const callers = code !== undefined && CALLERS_FAULT.test(code) ? 'invalid_request' : undefined
  const told = status >= 400 ? (STATUSES[status] ?? (status < 500 ? 'invalid_request' : 'upstream')) : undefined
  // A code is more exact than a status, which is more exact than the type: OpenAI says invalid_request_error of everything.
  const kind = lookup(code)?.kind ?? callers ?? told ?? known?.kind ?? 'upstream'
  const param = text(error.param)
  return {
    kind,
    status: status >= 400 ? status : (known?.status ?? (callers ? 400 : 502)),
    message: text(error.message) ?? 'The upstream failed without saying why',
    ...((code ?? type) ? { code: code ?? type } : {}),
    ...(param === undefined ? {} : { param }),
  }
}

function lookup(word: string | undefined): { kind: Fault['kind']; status: number } | undefined {
  return word !== undefined && Object.hasOwn(WORDS, word) ? WORDS[word] : undefined
}

/** The object that says what went wrong: `error`, that of a response, the flat form of the `error` event, or a plain text. */
function errorOf(body: Json | undefined): JsonObject {
  if (!isObject(body)) return {}
  if (isObject(body.error)) return body.error
  if (isObject(body.response) && isObject(body.response.error)) return body.response.error
  if (typeof body.error === 'string') return { message: body.error, code: body.code }
  if (body.type === 'error') return { ...body, type: undefined }
  return body
}

/** The error inside a body that came with a success status: a failed response, or an error object alone. */
export function bodyFault(body: JsonObject): Fault | undefined {
  const failed = isObject(body.error) || (typeof body.error === 'string' && body.error !== '') || body.status === 'failed'
  return failed ? decodeError(0, body) : undefined
}

/** The four members of OpenAI's error object. */
export function errorMembers(fault: Fault): { message: string; type: string; param: string | null; code: string | null } {
  const spoken = SPOKEN[fault.kind]
  const own = fault.code !== undefined && !spoken.fixed && !FOREIGN_CODE.test(fault.code) ? fault.code : spoken.code
  return { message: fault.message, type: spoken.type, param: fault.param ?? null, code: own }
}

/** Writes a fault as OpenAI's error object. */
export function encodeError(fault: Fault): { status: number; body: JsonObject } {
  return { status: fault.status, body: { error: errorMembers(fault) } }
}

/**
 * The two events the API itself ends a broken stream with: `error`, which SDKs throw, and `response.failed`, which Codex reads. The
 * documented `error` event is flat and the real one nested; it is written as both.
 */
export function failureEvents(fault: Fault, sequence: number, response: JsonObject): Frame[] {
  const error = errorMembers(fault)
  const { message, param, code } = error
  const failed = { ...response, status: 'failed', error: { code: code ?? 'server_error', message } }
  return [
    { event: 'error', data: JSON.stringify({ type: 'error', sequence_number: sequence, code, message, param, error }) },
    { event: 'response.failed', data: JSON.stringify({ type: 'response.failed', sequence_number: sequence + 1, response: failed }) },
  ]
}
