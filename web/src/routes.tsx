import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
  Outlet,
  redirect,
  useLocation,
} from '@tanstack/react-router'
import { meQuery } from './api/queries.ts'
import { readToken } from './api/session.ts'
import { HomePage } from './features/home/home-page.tsx'
import { NotFound } from './features/shell/not-found.tsx'
import { PageError } from './features/shell/page-error.tsx'
import { VisitorShell } from './features/shell/visitor-shell.tsx'
import { useSite } from './site.tsx'
import { markNavigated } from './ui/page.tsx'

interface RouterContext {
  readonly queryClient: QueryClient
}

const rootRoute = createRootRouteWithContext<RouterContext>()({ component: Root, notFoundComponent: NotFound })

/** While setup is required there is one page only, whatever was asked for. */
function Root() {
  const { setupRequired } = useSite()
  const { pathname } = useLocation()
  return setupRequired && pathname !== '/setup' ? <Navigate to="/setup" replace /> : <Outlet />
}

const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/setup',
  component: lazyRouteComponent(() => import('./features/start/setup-page.tsx'), 'SetupPage'),
})

const visitorRoute = createRoute({ getParentRoute: () => rootRoute, id: 'visitor', component: VisitorShell })
const homeRoute = createRoute({ getParentRoute: () => visitorRoute, path: '/', component: HomePage })
const loginRoute = createRoute({
  getParentRoute: () => visitorRoute,
  path: '/login',
  validateSearch: (search: Record<string, unknown>): { next?: string; error?: string } => {
    const { next, error } = search
    return {
      // Same-origin paths only: "//host" and "/\\host" would leave the site.
      ...(typeof next === 'string' && /^\/(?![/\\])/.test(next) ? { next } : {}),
      // A code of the error table, of a sign-in that came back from the identity provider.
      ...(typeof error === 'string' && /^[a-z_]{1,60}$/.test(error) ? { error } : {}),
    }
  },
  component: lazyRouteComponent(() => import('./features/auth/login-page.tsx'), 'LoginPage'),
})
const registerRoute = createRoute({
  getParentRoute: () => visitorRoute,
  path: '/register',
  component: lazyRouteComponent(() => import('./features/auth/register-page.tsx'), 'RegisterPage'),
})
const resetRoute = createRoute({
  getParentRoute: () => visitorRoute,
  path: '/reset',
  component: lazyRouteComponent(() => import('./features/auth/reset-page.tsx'), 'ResetPage'),
})

const contentPages = () => import('./features/content/content-page.tsx')
const aboutRoute = createRoute({
  getParentRoute: () => visitorRoute,
  path: '/about',
  component: lazyRouteComponent(contentPages, 'AboutPage'),
})
const privacyRoute = createRoute({
  getParentRoute: () => visitorRoute,
  path: '/privacy',
  component: lazyRouteComponent(contentPages, 'PrivacyPage'),
})
const termsRoute = createRoute({
  getParentRoute: () => visitorRoute,
  path: '/terms',
  component: lazyRouteComponent(contentPages, 'TermsPage'),
})
const referenceRoute = createRoute({
  getParentRoute: () => visitorRoute,
  path: '/docs/api',
  validateSearch: (search: Record<string, unknown>): { op?: string } => {
    const { op } = search
    return typeof op === 'string' && /^\w{1,120}$/.test(op) ? { op } : {}
  },
  component: lazyRouteComponent(() => import('./features/reference/reference-page.tsx'), 'ReferencePage'),
})

const consoleRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/dashboard',
  beforeLoad: ({ location }) => {
    if (readToken() === undefined) throw redirect({ to: '/login', search: { next: location.href } })
  },
  component: lazyRouteComponent(() => import('./features/shell/console-shell.tsx'), 'ConsoleShell'),
})
const dashboardRoute = createRoute({
  getParentRoute: () => consoleRoute,
  path: '/',
  component: lazyRouteComponent(() => import('./features/dashboard/dashboard-page.tsx'), 'DashboardPage'),
})
const keysRoute = createRoute({
  getParentRoute: () => consoleRoute,
  path: '/api-keys',
  component: lazyRouteComponent(() => import('./features/keys/keys-page.tsx'), 'KeysPage'),
})
const logsRoute = createRoute({
  getParentRoute: () => consoleRoute,
  path: '/logs',
  validateSearch: (search: Record<string, unknown>): { page?: number } => {
    const page = Number(search.page)
    return Number.isSafeInteger(page) && page > 1 ? { page } : {}
  },
  component: lazyRouteComponent(() => import('./features/logs/logs-page.tsx'), 'LogsPage'),
})
const receiptRoute = createRoute({
  getParentRoute: () => consoleRoute,
  path: '/logs/$id',
  component: lazyRouteComponent(() => import('./features/logs/receipt-page.tsx'), 'ReceiptPage'),
})
const securityRoute = createRoute({
  getParentRoute: () => consoleRoute,
  path: '/settings/security',
  component: lazyRouteComponent(() => import('./features/security/security-page.tsx'), 'SecurityPage'),
})
const startRoute = createRoute({
  getParentRoute: () => consoleRoute,
  path: '/start',
  beforeLoad: async ({ context }) => {
    const me = await context.queryClient.ensureQueryData(meQuery).catch(() => undefined)
    if (me && !me.is_admin) throw redirect({ to: '/dashboard' })
  },
  component: lazyRouteComponent(() => import('./features/start/start-page.tsx'), 'StartPage'),
})

const routeTree = rootRoute.addChildren([
  setupRoute,
  visitorRoute.addChildren([homeRoute, loginRoute, registerRoute, resetRoute, referenceRoute, aboutRoute, privacyRoute, termsRoute]),
  consoleRoute.addChildren([dashboardRoute, keysRoute, logsRoute, receiptRoute, securityRoute, startRoute]),
])

/** The console's routes; every page but the home page is a chunk of its own. */
export function createConsoleRouter(queryClient: QueryClient) {
  const router = createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: 'intent',
    defaultErrorComponent: PageError,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  })
  router.subscribe('onBeforeNavigate', ({ fromLocation, pathChanged }) => {
    if (fromLocation && pathChanged) markNavigated()
  })
  return router
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>
  }
}
