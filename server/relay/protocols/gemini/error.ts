import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Fault } from '../canonical.ts'
import type { Frame } from '../protocol.ts'
import { list, text } from './wire.ts'

type Kind = Fault['kind']

/** An upstream's message may be a page of HTML; more than this helps nobody. */
const MAX_MESSAGE_CHARS = 2000

/** google.rpc.Code -> what it means to us. */
const kinds: { [status: string]: Kind | undefined } = {
  INVALID_ARGUMENT: 'invalid_request',
  FAILED_PRECONDITION: 'invalid_request',
  OUT_OF_RANGE: 'invalid_request',
  ALREADY_EXISTS: 'invalid_request',
  UNIMPLEMENTED: 'invalid_request',
  UNAUTHENTICATED: 'authentication',
  PERMISSION_DENIED: 'permission',
  NOT_FOUND: 'not_found',
  RESOURCE_EXHAUSTED: 'rate_limit',
  UNAVAILABLE: 'overloaded',
  DEADLINE_EXCEEDED: 'timeout',
  CANCELLED: 'upstream',
  ABORTED: 'upstream',
  DATA_LOSS: 'upstream',
  INTERNAL: 'upstream',
  UNKNOWN: 'upstream',
}

/** The statuses that are the upstream's own trouble, not the customer's (additions.md: 401, 402 and 403 are not relayed). */
const publicStatus: { [kind in Kind]?: number } = {
  authentication: 502,
  permission: 502,
  insufficient_balance: 502,
  overloaded: 503,
  unavailable: 503,
  timeout: 504,
  upstream: 502,
  rate_limit: 429,
  not_found: 404,
  too_large: 413,
}

/** The fault in an upstream's error answer; also where a proxy in front answered with something else than Google's form. */
export function decodeError(status: number, body: Json | undefined): Fault {
  // streamGenerateContent without alt=sse wraps its error in a list.
  const outer = Array.isArray(body) ? body[0] : body
  const inner = isObject(outer) ? outer.error : undefined
  const error: JsonObject = isObject(inner) ? inner : {}
  const code = typeof error.code === 'number' ? error.code : undefined
  const http = status >= 400 ? status : code !== undefined && code >= 400 && code < 600 ? code : 500
  const name = text(error.status)
  const details = list(error.details).filter(isObject)
  const reason = details.map((row) => text(row.reason)).find((value) => value !== undefined)
  const kind = kindOf(http, name, reason)
  const message = (text(error.message) ?? text(inner) ?? `The upstream answered with status ${http}`).slice(0, MAX_MESSAGE_CHARS)
  const fault: Fault = { kind, status: publicStatus[kind] ?? (http < 500 ? http : 502), message }
  const label = reason ?? name
  if (label !== undefined) fault.code = label
  const wait = retryDelay(details)
  if (wait !== undefined) fault.retryAfterSeconds = wait
  const field = details.flatMap((row) => list(row.fieldViolations)).find(isObject)
  const param = field ? text(field.field) : undefined
  if (param !== undefined) fault.param = param
  return fault
}

/** The error inside a body that came with a success status. */
export function bodyFault(body: JsonObject): Fault | undefined {
  return isObject(body.error) ? decodeError(0, body) : undefined
}

function kindOf(http: number, name: string | undefined, reason: string | undefined): Kind {
  // Google answers 400 INVALID_ARGUMENT for a wrong key.
  if (reason !== undefined && /^API_KEY_|^ACCESS_TOKEN_/.test(reason)) return 'authentication'
  if (reason !== undefined && /^BILLING_DISABLED$|^CONSUMER_SUSPENDED$/.test(reason)) return 'insufficient_balance'
  if (http === 401) return 'authentication'
  if (http === 402) return 'insufficient_balance'
  if (http === 403) return 'permission'
  if (http === 413) return 'too_large'
  if (http === 408 || http === 504) return 'timeout'
  if (http === 429) return 'rate_limit'
  if (http === 503 || http === 529) return 'overloaded'
  const named = name === undefined ? undefined : kinds[name]
  if (named) return named
  if (http === 404) return 'not_found'
  return http < 500 ? 'invalid_request' : 'upstream'
}

/** `google.rpc.RetryInfo`: "34.07s". Whole seconds, rounded up. */
function retryDelay(details: JsonObject[]): number | undefined {
  for (const row of details) {
    const match = /^(\d{1,9})(?:\.(\d+))?s$/.exec(text(row.retryDelay) ?? '')
    if (match) return Number(match[1]) + (match[2] !== undefined && Number(match[2]) > 0 ? 1 : 0)
  }
  return undefined
}

/** HTTP status -> google.rpc.Code (google/rpc/code.proto, "HTTP Mapping"). */
function statusName(fault: Fault): string {
  switch (fault.status) {
    case 401:
      return 'UNAUTHENTICATED'
    case 402:
      return 'RESOURCE_EXHAUSTED'
    case 403:
      return 'PERMISSION_DENIED'
    case 404:
      return 'NOT_FOUND'
    case 409:
      return 'ABORTED'
    case 429:
      return 'RESOURCE_EXHAUSTED'
    case 499:
      return 'CANCELLED'
    case 501:
      return 'UNIMPLEMENTED'
    case 502:
    case 503:
    case 529:
      return 'UNAVAILABLE'
    case 408:
    case 504:
      return 'DEADLINE_EXCEEDED'
    default:
      return fault.status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL'
  }
}

/**
 * @example encodeError({kind: 'not_found', status: 404, message: 'The model does not exist', code: 'model_not_found'}, 'r1').body
 * // {error: {code: 404, message: 'The model does not exist', status: 'NOT_FOUND', details: [...]}}
 */
export function encodeError(fault: Fault, requestId: string): { status: number; body: JsonObject } {
  const details: Json[] = [{ '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId }]
  if (fault.code !== undefined) {
    details.unshift({
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: fault.code.toUpperCase().replace(/[^A-Z0-9_]/g, '_'),
      domain: 'tollgate',
    })
  }
  if (fault.param !== undefined) {
    details.push({
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: [{ field: fault.param, description: fault.message }],
    })
  }
  if (fault.retryAfterSeconds !== undefined) {
    details.push({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${fault.retryAfterSeconds}s` })
  }
  const error: JsonObject = { code: fault.status, message: fault.message, status: statusName(fault), details }
  return { status: fault.status, body: { error } }
}

/** The chunk that breaks a stream off: an error object in place of an answer; Google's SDKs throw on it. */
export function encodeStreamError(fault: Fault, requestId: string): Frame[] {
  return [{ data: JSON.stringify(encodeError(fault, requestId).body) }]
}
