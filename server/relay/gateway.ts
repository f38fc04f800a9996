import { AppError } from '../../contract/errors.ts'
import type { PayloadRecord } from '../features/payloads/record.ts'
import { asAppError } from '../http/errors.ts'
import { describeError } from '../lib/log.ts'
import { LimitReached } from './call-limits.ts'
import type { RelayDeps } from './deps.ts'
import { faultOf, unreadable } from './faults.ts'
import { errorProtocolOf, ingressOf } from './ingress.ts'
import { WireError } from './protocols/protocol.ts'
import { relay } from './relay.ts'
import { routeOf } from './routes.ts'
import { serviceOf } from './services/index.ts'

/** What the HTTP layer has found out about a gateway request. */
export interface GatewayRequest {
  request: Request
  url: URL
  ip: string
  requestId: string
}

/**
 * Everything below /v1 and /v1beta. Each answer carries its request id; each failure is in the error shape of the
 * protocol that the address belongs to.
 */
export async function gateway(arrival: GatewayRequest, deps: RelayDeps): Promise<Response> {
  const { request, url, ip, requestId } = arrival
  let record: PayloadRecord | undefined
  try {
    if (request.method === 'POST') {
      const ingress = ingressOf(url) ?? serviceOf(url)
      if (ingress) {
        record = deps.payloads.begin(requestId)
        const answer = await relay({ request, ingress, requestId, ip, startedMs: deps.clock.monotonic(), record }, deps)
        return record ? await record.answered(answer) : answer
      }
    }
    const unpaid = routeOf(request.method, url)
    if (unpaid) return await unpaid(arrival, deps)
    return Response.json({ error: 'Not found' }, { status: 404, headers: { 'x-tollgate-request-id': requestId } })
  } catch (error) {
    const answer = failed(error instanceof WireError ? unreadable(error) : asAppError(error), arrival, deps)
    return record ? record.answered(answer) : answer
  }
}

/** Turns a call away, in the shape its client reads; without a reason the server stops. */
export function turnAway(arrival: GatewayRequest, deps: RelayDeps, why?: AppError): Response {
  return failed(why ?? new AppError('shutting_down', { retryAfterSeconds: RESTART_SECONDS }), arrival, deps)
}

/** A restart takes less; a client that comes back then finds a server. */
const RESTART_SECONDS = 5

function failed(failure: AppError, { request, url, requestId }: GatewayRequest, deps: RelayDeps): Response {
  deps.metrics.errors.add(failure.code)
  // An overload is told of by the gate.
  if (failure.status >= 500 && failure.code !== 'overloaded')
    deps.log.warn('gateway call failed', { request_id: requestId, code: failure.code, cause: describeError(failure.cause ?? failure) })
  const { status, body } = errorProtocolOf(url.pathname, request.headers).encodeError(faultOf(failure), requestId)
  const headers: Record<string, string> = { 'x-tollgate-request-id': requestId }
  if (failure instanceof LimitReached) Object.assign(headers, failure.headers)
  // What is still to come of a body that was given up is not waited for.
  if (failure.code === 'request_timeout') headers['connection'] = 'close'
  if (failure.retryAfterSeconds !== undefined) headers['retry-after'] = String(failure.retryAfterSeconds)
  return Response.json(body, { status, headers })
}
