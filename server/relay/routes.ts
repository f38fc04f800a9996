import { AppError } from '../../contract/errors.ts'
import { callerOf } from './admit.ts'
import { countIngressOf, countTokens } from './count-tokens.ts'
import type { RelayDeps } from './deps.ts'
import type { GatewayRequest } from './gateway.ts'
import { decoded } from './ingress.ts'
import { claudeList, claudeModel, geminiList, geminiModel, openaiList, openaiModel, reachableModels } from './models.ts'
import { storedResponse, type StoredAction } from './stored-responses.ts'

/** Answers a request that costs nothing. */
export type Route = (arrival: GatewayRequest, deps: RelayDeps) => Promise<Response>

const MODEL = /^\/v1(beta)?\/models\/(.+)$/
const STORED = /^\/v1\/responses\/([^/]+)(?:\/(input_items|cancel))?$/

/** Finds what serves an address beyond the calls that are paid, or undefined: 404. */
export function routeOf(method: string, url: URL): Route | undefined {
  const { pathname } = url
  const stored = STORED.exec(pathname)
  if (method === 'POST') {
    const counting = countIngressOf(url)
    if (counting) return ({ request, ip, requestId }, deps) => countTokens({ request, ingress: counting, requestId, ip, startedMs: deps.clock.monotonic() }, deps)
    return stored?.[1] !== undefined && stored[2] === 'cancel' ? storedRoute(stored[1], 'cancel') : undefined
  }
  if (stored?.[1] !== undefined && method === 'DELETE' && stored[2] === undefined) return storedRoute(stored[1], 'delete')
  if (method !== 'GET') return undefined
  if (stored?.[1] !== undefined && stored[2] !== 'cancel') return storedRoute(stored[1], stored[2] === undefined ? 'get' : 'input_items')
  if (pathname === '/v1/models') return (arrival, deps) => listed(arrival, deps, arrival.request.headers.has('anthropic-version') ? claudeList : openaiList)
  if (pathname === '/v1beta/models') return (arrival, deps) => listed(arrival, deps, geminiList)
  const [, beta, id] = MODEL.exec(pathname) ?? []
  return id === undefined ? undefined : (arrival, deps) => oneModel(arrival, deps, decoded(id), beta !== undefined)
}

function storedRoute(id: string, action: StoredAction): Route {
  return (arrival, deps) => storedResponse(arrival, decoded(id), action, deps)
}

/** A list in its protocol's form, of what this caller can really call. */
async function listed({ request, url, ip, requestId }: GatewayRequest, deps: RelayDeps, form: typeof openaiList): Promise<Response> {
  const caller = await callerOf(request, ip, { path: { query: queryOf(url) } }, deps)
  const models = reachableModels(caller, deps.catalog.snapshot)
  return Response.json(form(models, url.searchParams), { headers: { 'x-tollgate-request-id': requestId } })
}

async function oneModel({ request, url, ip, requestId }: GatewayRequest, deps: RelayDeps, id: string, isGemini: boolean): Promise<Response> {
  const caller = await callerOf(request, ip, { path: { query: queryOf(url) } }, deps)
  const model = reachableModels(caller, deps.catalog.snapshot).find(({ name }) => name === id)
  if (!model) throw new AppError('model_not_found', { message: `The model \`${id.slice(0, 200)}\` does not exist`, param: 'model' })
  const form = isGemini ? geminiModel : request.headers.has('anthropic-version') ? claudeModel : openaiModel
  return Response.json(form(model), { headers: { 'x-tollgate-request-id': requestId } })
}

/** `?key=` counts on Gemini's addresses only (W07). */
function queryOf(url: URL): URLSearchParams {
  return url.pathname.startsWith('/v1beta/') ? url.searchParams : new URLSearchParams()
}
