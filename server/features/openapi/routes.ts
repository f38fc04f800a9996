import { gzipSync } from 'node:zlib'
import { getOpenapi } from '../../../contract/api/openapi.ts'
import type { AnyEndpoint } from '../../../contract/endpoint.ts'
import { bind, type Route } from '../../http/bind.ts'
import { openapiDocument } from './document.ts'

/** It changes with a release only; a tool that polls need not get it each time. */
const CACHE = 'public, max-age=300'

/** The document of all that is served, made when it is first asked for. */
export function openapiRoutes(endpoints: () => readonly AnyEndpoint[]): Route[] {
  let text: string | undefined
  let packed: Uint8Array<ArrayBuffer> | undefined
  return [
    bind(getOpenapi, ({ request }) => {
      text ??= JSON.stringify(openapiDocument(endpoints()))
      const headers = { 'content-type': 'application/json', 'cache-control': CACHE, vary: 'accept-encoding' }
      if (!/\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')) return new Response(text, { headers })
      // Schemas repeat themselves: packed it is a twentieth.
      packed ??= new Uint8Array(gzipSync(text))
      return new Response(packed, { headers: { ...headers, 'content-encoding': 'gzip' } })
    }),
  ]
}
