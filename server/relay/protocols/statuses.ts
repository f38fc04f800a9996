import type { Fault } from './canonical.ts'

/** What a status alone says, for bodies that are no error object we know. */
export const STATUSES: Record<number, Fault['kind']> = {
  400: 'invalid_request',
  401: 'authentication',
  402: 'insufficient_balance',
  403: 'permission',
  404: 'not_found',
  408: 'timeout',
  409: 'invalid_request',
  413: 'too_large',
  422: 'invalid_request',
  429: 'rate_limit',
  500: 'upstream',
  502: 'upstream',
  503: 'unavailable',
  504: 'timeout',
  529: 'overloaded',
}
