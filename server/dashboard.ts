import { Hono } from 'hono'
import { sessionGuard } from './features/auth/service.ts'
import { requireFresh } from './features/sessions/step-up.ts'
import { publicSettingsOf } from './features/settings/service.ts'
import { setupCookie } from './features/setup/link.ts'
import { setupRequired } from './features/setup/state.ts'
import { mount, type App, type HttpEnv, type Route } from './http/bind.ts'
import type { Deps } from './http/deps.ts'
import { errorResponse } from './http/errors.ts'
import { isTls, secure } from './http/security.ts'
import type { Spa } from './http/spa.ts'
import { clientIp } from './lib/client-ip.ts'
import { requestId } from './lib/ids.ts'

const API_PREFIXES = ['/api', '/auth', '/v1', '/v1beta']

/** Everything but the gateway: the API of the areas, and the console on all other paths. */
export function dashboard(deps: Deps, routes: readonly Route[], spa: Spa): App {
  const app: App = new Hono<HttpEnv>()

  app.use(async (http, next) => {
    const { headers, url } = http.req.raw
    const startedMs = deps.clock.monotonic()
    const id = requestId(deps.clock.now())
    http.set('requestId', id)
    http.set('ip', clientIp(http.env.socketAddress, headers.get('x-forwarded-for'), deps.trustedProxies))
    await next()
    http.res.headers.set('x-tollgate-request-id', id)
    // Answers of the API hold tokens, balances and addresses: no cache on the way keeps them.
    if (!http.res.headers.has('cache-control') && isBelow(http.req.path, API_PREFIXES)) http.res.headers.set('cache-control', 'no-store')
    deps.metrics.httpRequests.add(`${Math.floor(http.res.status / 100)}xx`)
    deps.metrics.httpSeconds.observe(deps.clock.monotonic() - startedMs)
    secure(http.res.headers, isTls(url, headers))
  })
  mount(app, routes, { ...sessionGuard(deps), requireFresh: (caller, kind) => requireFresh(deps, caller, kind) })

  // The one-time link: its token becomes a cookie and leaves the address bar.
  app.get('/setup', async (http, next) => {
    const token = http.req.query('token')
    if (token === undefined) return next()
    const { headers, url } = http.req.raw
    const cookie = setupCookie(deps.jwtSecret, token, isTls(url, headers))
    if (cookie !== undefined) http.header('set-cookie', cookie)
    http.header('cache-control', 'no-store')
    return http.redirect('/setup', 303)
  })

  const served = routes.map(({ endpoint }) => ({ method: endpoint.method, pattern: patternOf(endpoint.path) }))
  app.notFound(async (http) => {
    const { pathname, search } = new URL(http.req.url)
    const { method } = http.req
    if (pathname.length > 1 && pathname.endsWith('/')) {
      const path = pathname.replace(/\/+$/, '')
      if (served.some((route) => route.method === method && route.pattern.test(path)))
        return http.redirect(`${path}${search}`, method === 'GET' ? 301 : 307)
    }
    if (isBelow(pathname, API_PREFIXES) || (method !== 'GET' && method !== 'HEAD')) return http.json({ error: 'Not found' }, 404)
    const file = spa.file(pathname, http.req.raw.headers)
    if (file) return file
    return spa.page({ settings: publicSettingsOf(deps), setup_required: await setupRequired(deps) })
  })
  app.onError((error, http) => errorResponse(error, http, deps.log))
  return app
}

/** Whether a path is one of these or lies below it. */
export function isBelow(pathname: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => pathname.startsWith(prefix) && (pathname.length === prefix.length || pathname[prefix.length] === '/'))
}

/** `/api/groups/:id` as an expression for addresses. */
function patternOf(path: string): RegExp {
  return new RegExp(
    `^${path
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
      .join('/')}$`,
  )
}
