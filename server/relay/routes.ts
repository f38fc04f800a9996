import { AppError } from '../../contract/errors.ts'
import { callerOf } from './admit.ts'
import { countIngressOf, countTokens } from './count-tokens.ts'
import type { RelayDeps } from './deps.ts'
import type { GatewayRequest } from './gateway.ts'
import { decoded, modelsProtocol, type ModelsProtocol } from './ingress.ts'
import { claudeList, claudeModel, geminiList, geminiModel, openaiList, openaiModel, reachableModels } from './models.ts'
import { storedResponse, type StoredAction } from './stored-responses.ts'

/** Answers a request that costs nothing. */
export type Route = (arrival: GatewayRequest, deps: RelayDeps) => Promise<Response>

const MODEL = /^\/v1(?:beta)?\/models\/(.+)$/
const STORED = /^\/v1\/responses\/([^/]+)(?:\/(input_items|cancel))?$/

/** Finds what serves an address beyond the calls that are paid, or undefined: 404. */
export function routeOf(method: string, url: URL): Route | undefined {
  const { pathname } = url
  const stored = STORED.exec(pathname)
  if (method === 'POST') {
    const counting = countIngressOf(url)
    if (counting)
      return ({ request, ip, requestId }, deps) =>
        countTokens({ request, ingress: counting, requestId, ip, startedMs: deps.clock.monotonic() }, deps)
    return stored?.[1] !== undefined && stored[2] === 'cancel' ? storedRoute(stored[1], 'cancel') : undefined
  }
  if (stored?.[1] !== undefined && method === 'DELETE' && stored[2] === undefined) return storedRoute(stored[1], 'delete')
  if (method !== 'GET') return undefined
  if (stored?.[1] !== undefined && stored[2] !== 'cancel') return storedRoute(stored[1], stored[2] === undefined ? 'get' : 'input_items')
  if (pathname === '/v1/models' || pathname === '/v1beta/models') return listed
  const id = MODEL.exec(pathname)?.[1]
  return id === undefined ? undefined : (arrival, deps) => oneModel(arrival, deps, decoded(id))
}

/** The three makers' forms of the same models. */
const forms = {
  'openai-chat': { list: openaiList, one: openaiModel },
  claude: { list: claudeList, one: claudeModel },
  gemini: { list: geminiList, one: geminiModel },
} satisfies Record<ModelsProtocol, unknown>

function formOf({ request, url }: GatewayRequest): (typeof forms)[ModelsProtocol] {
  return forms[url.pathname.startsWith('/v1beta/') ? 'gemini' : modelsProtocol(request.headers)]
}

function storedRoute(id: string, action: StoredAction): Route {
  return (arrival, deps) => storedResponse(arrival, decoded(id), action, deps)
}

/** A list in its protocol's form, of what this caller can really call. */
async function listed(arrival: GatewayRequest, deps: RelayDeps): Promise<Response> {
  const { request, url, ip, requestId } = arrival
  const caller = await callerOf(request, ip, { path: { query: queryOf(url) } }, deps)
  const models = reachableModels({ caller, snapshot: deps.catalog.snapshot, now: deps.clock.now() })
  return Response.json(formOf(arrival).list(models, url.searchParams), { headers: { 'x-tollgate-request-id': requestId } })
}

async function oneModel(arrival: GatewayRequest, deps: RelayDeps, id: string): Promise<Response> {
  const { request, url, ip, requestId } = arrival
  const caller = await callerOf(request, ip, { path: { query: queryOf(url) } }, deps)
  const model = reachableModels({ caller, snapshot: deps.catalog.snapshot, now: deps.clock.now() }).find(({ name }) => name === id)
  if (!model) throw new AppError('model_not_found', { message: `The model \`${id.slice(0, 200)}\` does not exist`, param: 'model' })
  return Response.json(formOf(arrival).one(model), { headers: { 'x-tollgate-request-id': requestId } })
}

/** `?key=` counts on Gemini's addresses only (W07). */
function queryOf(url: URL): URLSearchParams {
  return url.pathname.startsWith('/v1beta/') ? url.searchParams : new URLSearchParams()
}
