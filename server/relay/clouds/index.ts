import type { Auth, Vendor } from '../../../contract/vendors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { GuardedFetch, OutboundRequest } from '../../lib/outbound.ts'
import { toAws } from './aws.ts'
import { toGoogle } from './google.ts'

export interface CloudDeps {
  readonly fetch: GuardedFetch
  readonly clock: Clock
}

/** Sends one request the way a cloud wants it: with a token or a signature in place of the key, answers in the protocol's own framing. */
export type Cloud = (url: string, request: OutboundRequest, key: string, deps: CloudDeps) => Promise<Response>

const clouds: Partial<Record<Auth, Cloud>> = { aws: toAws, google: toGoogle }

/**
 * Sends a request to an upstream. Most vendors take the key in a header that is there already; clouds do not.
 * @throws whatever the guarded fetch throws; AttemptFailed where a cloud refused the key before it saw the request
 */
export function sendTo(
  upstream: { readonly vendor: Vendor | undefined; readonly key: string },
  url: string,
  request: OutboundRequest,
  deps: CloudDeps,
): Promise<Response> {
  const cloud = upstream.vendor && clouds[upstream.vendor.auth]
  return cloud ? cloud(url, request, upstream.key, deps) : deps.fetch(url, request)
}
