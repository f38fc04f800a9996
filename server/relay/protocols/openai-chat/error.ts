import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Fault } from '../canonical.ts'
import type { Frame } from '../protocol.ts'
import { STATUSES } from '../statuses.ts'
import { count, object, text } from './wire.ts'
import { words } from '../../../../contract/words.ts'

/** Codes and types that say more than their status, in the words of OpenAI, Azure and the vendors that copy them. */
const CODES = words<{ kind: Fault['kind']; status: number }>({
  invalid_request_error: { kind: 'invalid_request', status: 400 },
  context_length_exceeded: { kind: 'invalid_request', status: 400 },
  string_above_max_length: { kind: 'invalid_request', status: 400 },
  authentication_error: { kind: 'authentication', status: 401 },
  invalid_api_key: { kind: 'authentication', status: 401 },
  permission_error: { kind: 'permission', status: 403 },
  not_found_error: { kind: 'not_found', status: 404 },
  model_not_found: { kind: 'not_found', status: 404 },
  rate_limit_error: { kind: 'rate_limit', status: 429 },
  rate_limit_exceeded: { kind: 'rate_limit', status: 429 },
  insufficient_quota: { kind: 'insufficient_balance', status: 429 },
  billing_hard_limit_reached: { kind: 'insufficient_balance', status: 429 },
  content_policy_violation: { kind: 'content_policy', status: 400 },
  content_filter: { kind: 'content_policy', status: 400 },
  server_error: { kind: 'upstream', status: 500 },
  overloaded_error: { kind: 'overloaded', status: 529 },
  engine_overloaded_error: { kind: 'overloaded', status: 429 },
  service_unavailable: { kind: 'unavailable', status: 503 },
  timeout: { kind: 'timeout', status: 504 },
})

/** OpenAI's `type` and, where a fault names no code, its `code` (platform.openai.com, error codes). */
const WORDS: Record<Fault['kind'], { type: string; code: string | null }> = {
  invalid_request: { type: 'invalid_request_error', code: null },
  authentication: { type: 'authentication_error', code: 'invalid_api_key' },
  permission: { type: 'permission_error', code: 'permission_denied' },
  not_found: { type: 'invalid_request_error', code: 'model_not_found' },
  too_large: { type: 'invalid_request_error', code: 'request_too_large' },
  rate_limit: { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  insufficient_balance: { type: 'insufficient_quota', code: 'insufficient_quota' },
  content_policy: { type: 'invalid_request_error', code: 'content_policy_violation' },
  overloaded: { type: 'server_error', code: 'overloaded' },
  unavailable: { type: 'server_error', code: 'service_unavailable' },
  timeout: { type: 'server_error', code: 'timeout' },
  upstream: { type: 'server_error', code: 'upstream_error' },
  internal: { type: 'server_error', code: 'internal_error' },
}

/** Message bodies of proxies and of frameworks go on for pages; a customer needs the beginning. */
const MAX_MESSAGE_CHARS = 4000

/**
 * Reads an error of the upstream: OpenAI's `{error: {message, type, param, code}}`, `{error: "text"}`, `{message}`, FastAPI's `{detail}`,
 * MiniMax's `{base_resp}`. With a success status (an error inside a stream or a 200) the error's own code gives the status.
 */
export function decodeError(status: number, body: Json | undefined): Fault {
  const source = object(Array.isArray(body) ? body[0] : body)
  const error = object(isObject(source.error) ? source.error : isObject(source.base_resp) ? source.base_resp : source)
  const code = text(error.code) ?? text(error.type)
  const numeric = count(error.code) ?? count(error.status) ?? count(source.status)
  const real = status >= 400 ? status : numeric !== undefined && numeric >= 400 && numeric < 600 ? numeric : undefined
  const known = CODES[text(error.code) ?? ''] ?? CODES[text(error.type) ?? '']
  // A plain invalid_request_error comes with 401 and 404 too; there the status knows better.
  const vague = known?.kind === 'invalid_request' || known?.kind === 'upstream'
  const byStatus = real === undefined ? undefined : (STATUSES[real] ?? (real < 500 ? 'invalid_request' : 'upstream'))
  const kind = (vague ? (byStatus ?? known?.kind) : (known?.kind ?? byStatus)) ?? 'upstream'
  const param = text(error.param)
  return {
    kind,
    status: real ?? known?.status ?? 502,
    message: message(source, error).slice(0, MAX_MESSAGE_CHARS),
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  }
}

function message(source: JsonObject, error: JsonObject): string {
  const detail = source.detail
  return (
    text(error.message) ||
    text(source.error) ||
    text(source.message) ||
    text(error.status_msg) ||
    (detail === undefined ? undefined : text(detail) || JSON.stringify(detail)) ||
    'The upstream failed without saying why'
  )
}

/** The error a body or chunk holds although its status was a success; undefined when it holds none. */
export function bodyFault(body: JsonObject): Fault | undefined {
  const { error, base_resp: base } = body
  if (isObject(error) || (typeof error === 'string' && error !== '')) return decodeError(200, body)
  const failed = isObject(base) && count(base.status_code) !== undefined && base.status_code !== 0
  return failed ? decodeError(200, body) : undefined
}

/** Writes a fault as OpenAI's error object. */
export function encodeError(fault: Fault, _requestId: string): { status: number; body: JsonObject } {
  const words = WORDS[fault.kind]
  const error = { message: fault.message, type: words.type, param: fault.param ?? null, code: fault.code ?? words.code }
  return { status: fault.status, body: { error } }
}

/** The event that breaks a stream off; no `[DONE]` follows it. */
export function encodeStreamError(fault: Fault, requestId: string): Frame[] {
  return [{ data: JSON.stringify(encodeError(fault, requestId).body) }]
}
