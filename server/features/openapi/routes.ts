import { getOpenapi } from '../../../contract/api/openapi.ts'
import type { AnyEndpoint } from '../../../contract/endpoint.ts'
import { bind, type Route } from '../../http/bind.ts'
import { openapiDocument } from './document.ts'

/** It changes with a release only; a tool that polls need not get it each time. */
const CACHE = 'public, max-age=300'

/** The document of all that is served, made when it is first asked for. */
export function openapiRoutes(endpoints: () => readonly AnyEndpoint[]): Route[] {
  let text: string | undefined
  return [
    bind(getOpenapi, () => {
      text ??= JSON.stringify(openapiDocument(endpoints()))
      return new Response(text, { headers: { 'content-type': 'application/json', 'cache-control': CACHE } })
    }),
  ]
}
