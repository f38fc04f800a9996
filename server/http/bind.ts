import type { Context, Hono } from 'hono'
import type { z } from 'zod'
import type { AnyEndpoint, BodyOf, ParamsOf, QueryOf, ResponseOf, StepUp } from '../../contract/endpoint.ts'
import { AppError } from '../../contract/errors.ts'
import { mayCall, type Caller } from './caller.ts'
import { MAX_BODY_BYTES, MAX_PUBLIC_BODY_BYTES, parseBody, readBody } from './body.ts'

/** What a request brings along on its way through Hono. */
export interface HttpEnv {
  Bindings: { socketAddress: string }
  Variables: { requestId: string; ip: string }
}

export type App = Hono<HttpEnv>

/** What a handler works with: validated values only. */
export interface Call<E> {
  readonly params: ParamsOf<E>
  readonly query: QueryOf<E>
  readonly body: BodyOf<E>
  readonly caller: CallerOf<E>
  readonly ip: string
  readonly requestId: string
  readonly request: Request
  /** For the few answers that need a header or a cookie. */
  readonly http: Context<HttpEnv>
}

type CallerOf<E> = E extends { access: 'public' } ? Caller | undefined : Caller

/** Finds out who a session belongs to. */
export interface SessionGuard {
  /** @throws AppError credential_missing | session_invalid | user_not_found | account_disabled | api_key_on_dashboard */
  authenticate(request: Request, ip: string): Promise<Caller>
  /** @throws AppError step_up_required */
  requireFresh(caller: Caller, kind: StepUp): Promise<void>
}

export type Handler<E> = (call: Call<E>) => Promise<ResponseOf<E> | Response> | ResponseOf<E> | Response

/** One operation with its handler, ready to be mounted. */
export interface Route {
  readonly endpoint: AnyEndpoint
  readonly handler: (call: Call<AnyEndpoint>) => unknown
}

/**
 * Ties a handler to its operation; the types come from the operation.
 * @example bind(listGroups, () => service.list())
 */
export function bind<E extends AnyEndpoint>(endpoint: E, handler: Handler<E>): Route {
  return { endpoint, handler: handler }
}

/** Registers the routes. Every route has an access; a route without one does not compile, two of the same address are a fault. */
export function mount(app: App, routes: readonly Route[], guard: SessionGuard): void {
  const seen = new Set<string>()
  for (const { endpoint, handler } of routes) {
    const name = `${endpoint.method} ${endpoint.path}`
    if (seen.has(name)) throw new Error(`two routes for ${name}`)
    seen.add(name)
    app.on(endpoint.method, endpoint.path, async (http) => {
      const request = http.req.raw
      const ip = http.get('ip')
      const caller = endpoint.access === 'public' ? undefined : await guard.authenticate(request, ip)
      if (caller && !mayCall(caller.role, endpoint.access)) {
        throw new AppError(endpoint.access === 'owner' || caller.role !== 'user' ? 'role_required' : 'admin_required')
      }
      if (caller && endpoint.stepUp) await guard.requireFresh(caller, endpoint.stepUp)
      const params = parse(endpoint.params, http.req.param())
      const query = parse(endpoint.query, http.req.query())
      const body =
        endpoint.body === undefined
          ? undefined
          : parse(endpoint.body, await jsonOf(request, caller ? MAX_BODY_BYTES : MAX_PUBLIC_BODY_BYTES))
      const result = await handler({
        params,
        query,
        body,
        caller,
        ip,
        requestId: http.get('requestId'),
        request,
        http,
      } as Call<AnyEndpoint>)
      return result instanceof Response ? result : http.json(result as never)
    })
  }
}

/** The JSON body; an absent one is `undefined`, which a schema may allow. */
async function jsonOf(request: Request, maxBytes: number): Promise<unknown> {
  const bytes = await readBody(request, maxBytes)
  return bytes.byteLength === 0 ? undefined : parseBody(bytes)
}

function parse(schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return undefined
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const path = issue?.path.map(String).join('.') ?? ''
  // A message with a capital letter is one of the contract's own texts and stands alone; zod's own have a colon.
  const message = issue?.message ?? 'is not valid'
  const standsAlone = path === '' || (/^[A-Z]/.test(message) && !message.includes(': '))
  throw new AppError('bad_request', {
    message: standsAlone ? message : `${path}: ${message}`,
    param: path,
  })
}
