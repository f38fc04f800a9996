import type { Context } from 'hono'
import { AppError, type ErrorBody } from '../../contract/errors.ts'
import { isLostDatabase } from '../db/lost.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { HttpEnv } from './bind.ts'

/** SQLite and PostgreSQL each name a broken unique constraint in their own way. */
export function isUniqueViolation(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return (
    code === '23505' || code === 'SQLITE_CONSTRAINT_UNIQUE' || (typeof message === 'string' && message.includes('UNIQUE constraint failed'))
  )
}

/** PostgreSQL stores no NUL in a text (22021): SQLite does, and no name, code or address has one. */
function isUnstorableText(error: unknown): boolean {
  return (error as { code?: unknown }).code === '22021'
}

/** Any thrown value as one of ours; what is not ours becomes `internal` and tells the caller nothing of the inside (W04). */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (isUniqueViolation(error)) return new AppError('conflict', { cause: error })
  if (isUnstorableText(error)) return new AppError('bad_request', { message: 'A text has a character that cannot be stored', cause: error })
  if (isLostDatabase(error)) return new AppError('unavailable', { cause: error, retryAfterSeconds: 1 })
  return new AppError('internal', { cause: error })
}

/** The answer of a failed `/api` or `/auth` call: `{"error": text, "code", "request_id"}`. */
export function errorResponse(error: unknown, http: Context<HttpEnv>, log: Log): Response {
  const failure = asAppError(error)
  const requestId = http.get('requestId')
  if (failure.status >= 500)
    log.error('request failed', { request_id: requestId, code: failure.code, cause: describeError(failure.cause ?? failure) })
  const body: ErrorBody & { retry_after?: number } = {
    error: failure.message,
    code: failure.code,
    request_id: requestId,
    ...failure.details,
  }
  // What is still to come of a body that was given up is not waited for.
  if (failure.code === 'request_timeout') http.header('connection', 'close')
  if (failure.retryAfterSeconds !== undefined) {
    body.retry_after = failure.retryAfterSeconds
    http.header('retry-after', String(failure.retryAfterSeconds))
  }
  return http.json(body, failure.status as 400)
}
