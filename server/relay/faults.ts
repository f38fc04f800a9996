import { AppError, type ErrorCode } from '../../contract/errors.ts'
import type { Candidate } from '../features/catalog/snapshot.ts'
import { redact } from '../lib/log.ts'
import type { Fault } from './protocols/canonical.ts'
import type { WireError } from './protocols/protocol.ts'

/** Codes whose kind does not follow from the status. */
const kinds: Partial<Record<ErrorCode, Fault['kind']>> = {
  insufficient_balance: 'insufficient_balance',
  account_in_debt: 'insufficient_balance',
  user_budget_exceeded: 'insufficient_balance',
  key_budget_exceeded: 'insufficient_balance',
  key_quota_exceeded: 'insufficient_balance',
  content_blocked: 'content_policy',
  answer_blocked: 'content_policy',
  upstream_failed: 'upstream',
  upstream_invalid: 'upstream',
  upstream_blocked: 'upstream',
  upstream_timeout: 'timeout',
}

/** Codes that clients know by the makers' name. */
const codes: Partial<Record<ErrorCode, string>> = { rate_limited: 'rate_limit_exceeded' }

/** An error of ours as a Fault, for the client's own protocol to encode. */
export function faultOf(error: AppError): Fault {
  const fault: Fault = {
    kind: kinds[error.code] ?? kindOf(error.status),
    status: error.status,
    message: error.message,
    code: codes[error.code] ?? error.code,
  }
  if (error.param !== undefined) fault.param = error.param
  if (error.retryAfterSeconds !== undefined) fault.retryAfterSeconds = error.retryAfterSeconds
  return fault
}

function kindOf(status: number): Fault['kind'] {
  switch (status) {
    case 401:
      return 'authentication'
    case 403:
      return 'permission'
    case 404:
      return 'not_found'
    case 413:
      return 'too_large'
    case 429:
      return 'rate_limit'
    case 502:
      return 'upstream'
    case 503:
      return 'unavailable'
    case 504:
      return 'timeout'
    default:
      return status >= 500 ? 'internal' : 'invalid_request'
  }
}

/** A body that its own protocol cannot read, as its sender is told. */
export function unreadable(error: WireError): AppError {
  return new AppError(
    'bad_request',
    error.param === undefined ? { message: error.message } : { message: error.message, param: error.param },
  )
}

/** Shorter keys are words that may stand in any text. */
const MIN_KEY_CHARS = 8

/** A text that quotes an upstream, without our key. */
export function withoutKey(text: string, { channel: { key } }: Candidate): string {
  return redact(key.length >= MIN_KEY_CHARS ? text.replaceAll(key, '[redacted]') : text)
}

/** What an upstream said, for the customer: without our key, and with the platform's model name instead of its own. */
export function publicMessage(message: string, model: string, candidate: Candidate): string {
  const text = candidate.upstreamModel === model ? message : message.replaceAll(candidate.upstreamModel, model)
  return withoutKey(text, candidate)
}
