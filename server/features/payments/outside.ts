import type { GuardedFetch, OutboundRequest } from '../../lib/outbound.ts'

/** A gateway that takes longer is down (contract.md 9.3). */
const TIMEOUT_MS = 5_000
/** Larger than any discovery document (contract.md 9.3). */
const MAX_BYTES = 1024 * 1024

/** JSON of a 200 of a gateway, bounded in time and size; undefined: there is none. */
export async function readSmallJson(fetch: GuardedFetch, url: string, request: OutboundRequest = {}): Promise<unknown> {
  try {
    const headers = { accept: 'application/json', 'user-agent': 'tollgate-open-payment/1.0', ...request.headers }
    const response = await fetch(url, { ...request, headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel()
      return undefined
    }
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body) {
      size += chunk.byteLength
      if (size > MAX_BYTES) return undefined
      chunks.push(chunk)
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}
