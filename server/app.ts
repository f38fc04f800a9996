import type { AnyEndpoint } from '../contract/endpoint.ts'
import { AppError } from '../contract/errors.ts'
import type { AppConfig } from './config.ts'
import { dashboard, isBelow } from './dashboard.ts'
import { openDatabase } from './db/open.ts'
import { announcementsRoutes } from './features/announcements/routes.ts'
import { apiKeysRoutes } from './features/api-keys/routes.ts'
import { auditRoutes } from './features/audit/routes.ts'
import { authRoutes } from './features/auth/routes.ts'
import { calendarOf } from './features/billing/calendar.ts'
import { OrphanSweeper } from './features/billing/orphans.ts'
import { ledgerOf } from './features/billing/service.ts'
import { ensureDefaults } from './features/catalog/defaults.ts'
import { catalogRoutes } from './features/catalog/routes.ts'
import { Catalog } from './features/catalog/service.ts'
import { channelModelsRoutes } from './features/channel-models/routes.ts'
import { channelsRoutes } from './features/channels/routes.ts'
import { checkInsRoutes } from './features/check-ins/routes.ts'
import { contentRoutes } from './features/content/routes.ts'
import { groupsRoutes } from './features/groups/routes.ts'
import { ledgerRoutes } from './features/ledger/routes.ts'
import { logsRoutes } from './features/logs/routes.ts'
import { metaModelsRoutes } from './features/meta-models/routes.ts'
import { modelsRoutes } from './features/models/routes.ts'
import { passkeysRoutes } from './features/passkeys/routes.ts'
import { oidcRoutes } from './features/oidc/routes.ts'
import { openapiRoutes } from './features/openapi/routes.ts'
import { payloadsRoutes } from './features/payloads/routes.ts'
import { paymentsRoutes } from './features/payments/routes.ts'
import { quotesRoutes } from './features/quotes/routes.ts'
import { redeemCodesRoutes } from './features/redeem-codes/routes.ts'
import { referralsRoutes } from './features/referrals/routes.ts'
import { reconciliationRoutes } from './features/reconciliation/routes.ts'
import { reportsRoutes } from './features/reports/routes.ts'
import { secondFactorRoutes } from './features/second-factor/routes.ts'
import { sessionsRoutes } from './features/sessions/routes.ts'
import { loadSettings } from './features/settings/service.ts'
import { settingsRoutes } from './features/settings/routes.ts'
import { settingsTestRoutes } from './features/settings-test/routes.ts'
import { setupPath } from './features/setup/link.ts'
import { setupRoutes } from './features/setup/routes.ts'
import { setupRequired } from './features/setup/state.ts'
import { statementsRoutes } from './features/statements/routes.ts'
import { statsRoutes } from './features/stats/routes.ts'
import { syncRoutes } from './features/sync/routes.ts'
import { statusRoutes } from './features/status/routes.ts'
import { PriceSync } from './features/sync/schedule.ts'
import { systemRoutes } from './features/system/routes.ts'
import { usageRoutes } from './features/usage/routes.ts'
import { userChannelsRoutes } from './features/user-channels/routes.ts'
import { userCatalogRoutes } from './features/user-catalog/routes.ts'
import { usersRoutes } from './features/users/routes.ts'
import { gatewayAnswer, misdirected } from './edge.ts'
import type { Route } from './http/bind.ts'
import { Changes } from './http/changes.ts'
import { preflight } from './http/cors.ts'
import type { Deps } from './http/deps.ts'
import { addressOf, pathOf } from './http/host.ts'
import { joinProcesses } from './http/processes.ts'
import { Spa } from './http/spa.ts'
import { jobsOf } from './jobs/jobs.ts'
import { Monitors } from './jobs/monitors.ts'
import { Scheduler } from './jobs/scheduler.ts'
import { clientIp } from './lib/client-ip.ts'
import { systemClock, type Clock } from './lib/clock.ts'
import { requestId, sha256Hex } from './lib/ids.ts'
import { Limiter } from './lib/limiter.ts'
import { LiveSettings } from './lib/live-settings.ts'
import { createLog, describeError, type Log } from './lib/log.ts'
import { createMailer } from './lib/mailer.ts'
import { Metrics } from './lib/metrics.ts'
import { guardedConnect } from './lib/tcp.ts'
import { guardedFetch, publicFetch, type Resolve } from './lib/outbound.ts'
import { Redis } from './lib/redis.ts'
import { SecretBox } from './lib/secret-box.ts'
import { metricsRoutes } from './relay/metrics/routes.ts'
import { probeRoutes } from './relay/probe/routes.ts'
import { routingRoutes } from './relay/routing/routes.ts'
import { Routing } from './relay/routing/routing.ts'

/** Each area's routes; a new feature is one line here. */
const areas: readonly ((deps: Deps) => Route[])[] = [
  settingsRoutes,
  settingsTestRoutes,
  setupRoutes,
  authRoutes,
  oidcRoutes,
  passkeysRoutes,
  secondFactorRoutes,
  sessionsRoutes,
  groupsRoutes,
  userChannelsRoutes,
  channelsRoutes,
  modelsRoutes,
  channelModelsRoutes,
  syncRoutes,
  usersRoutes,
  apiKeysRoutes,
  logsRoutes,
  payloadsRoutes,
  ledgerRoutes,
  statsRoutes,
  usageRoutes,
  userCatalogRoutes,
  probeRoutes,
  announcementsRoutes,
  contentRoutes,
  auditRoutes,
  checkInsRoutes,
  reportsRoutes,
  statementsRoutes,
  reconciliationRoutes,
  redeemCodesRoutes,
  referralsRoutes,
  paymentsRoutes,
]

interface GatewayArrival {
  request: Request
  url: URL
  ip: string
  requestId: string
}

/** What serves everything below /v1 and /v1beta. */
export interface Gateway {
  handle(arrival: GatewayArrival): Promise<Response>
  /** The answer to a call that is not let in; without a reason the server stops. */
  turnAway(arrival: GatewayArrival, why?: AppError): Response
  close(): Promise<void>
}

export interface AppOptions {
  config: AppConfig
  /** Built once the rest stands; without it those addresses are 404. */
  gateway?: (deps: Deps, catalog: Catalog, routing: Routing) => Gateway
  /** Where the console was built to. */
  consoleDir: string
  clock?: Clock
  log?: Log
  /** Hosts that are not public and that customers' addresses may name all the same: for tests only, no setting leads here. */
  customersAlsoReach?: string
  /** Instead of the system's name service, for outbound calls. */
  resolveName?: Resolve
}

export interface RunningApp {
  readonly deps: Deps
  /** Every operation that is served, for the OpenAPI document and for tests. */
  readonly endpoints: readonly AnyEndpoint[]
  /** `socketAddress` is the peer of the connection. */
  fetch(request: Request, socketAddress: string): Response | Promise<Response>
  /** The path of the one-time setup link, while setup is to be done. */
  setupLink(): Promise<string | undefined>
  /** New gateway calls are turned away and /ready says 503; what runs goes on. */
  drain(): void
  /** Ends jobs and closes the database; call it when nothing runs any more. */
  close(): Promise<void>
}

const GATEWAY_PREFIXES = ['/v1', '/v1beta']

/** Builds the whole application; the only place where its parts meet. */
export async function createApp(options: AppOptions): Promise<RunningApp> {
  const { config, clock = systemClock } = options
  const log = options.log ?? createLog(config.logLevel, () => clock.now())
  const db = await openDatabase({
    path: config.dbPath,
    url: config.databaseUrl,
    poolSize: config.dbPoolSize,
    onError: (error) => log.error('database connection failed', { cause: describeError(error) }),
  })
  const redis = config.redisUrl === undefined ? undefined : new Redis(config.redisUrl, namespaceOf(config), log)
  await redis?.start()
  const settings = new LiveSettings()
  const deps: Deps = {
    db,
    clock,
    log,
    settings,
    secrets: new SecretBox(config.encryptionKey),
    fetch: guardedFetch(settings, clock, options.resolveName),
    tryConnect: guardedConnect(settings, options.resolveName),
    publicFetch: publicFetch(clock, options.customersAlsoReach, options.resolveName),
    mailer: createMailer(settings),
    jwtSecret: config.jwtSecret,
    oidcDefaults: config.oidc,
    bootstrapAdmins: config.bootstrapAdmins,
    trustedProxies: config.trustedProxies,
    changes: new Changes(log),
    redis,
    limiter: new Limiter(clock, redis, log),
    metrics: new Metrics(),
  }
  // Before anything is read: what is told from now on is either read below or heard.
  const leaveProcesses = await joinProcesses(deps, config.databaseUrl)
  deps.changes.listen(({ type }) => (type === 'settings' || type === 'everything' ? loadSettings(deps) : undefined))
  await ensureDefaults(deps)
  await loadSettings(deps)
  ledgerOf(db).calendar = calendarOf(() => settings.text('checkin_timezone'))
  const orphans = new OrphanSweeper(deps)
  await orphans.start()
  const catalog = new Catalog(deps)
  await catalog.load()
  const routing = new Routing(deps, catalog)
  const gateway = options.gateway?.(deps, catalog, routing)
  const priceSync = new PriceSync(deps)
  const monitors = new Monitors(deps, catalog)
  const scheduler = new Scheduler(log)
  scheduler.start(jobsOf(deps, { orphans, priceSync, monitors, database: { path: config.dbPath, url: config.databaseUrl } }))

  let draining = false
  const routes: Route[] = [
    ...openapiRoutes(() => routes.map(({ endpoint }) => endpoint)),
    ...systemRoutes(deps, () => draining),
    ...catalogRoutes(deps, catalog),
    ...metaModelsRoutes(deps, catalog),
    ...quotesRoutes(deps, catalog),
    ...routingRoutes(deps, catalog, routing),
    ...metricsRoutes(deps, routing),
    ...statusRoutes(deps, monitors.checkNow),
    ...areas.flatMap((area) => area(deps)),
  ]
  const http = dashboard(deps, routes, new Spa(options.consoleDir))
  return {
    deps,
    endpoints: routes.map(({ endpoint }) => endpoint),
    fetch(request, socketAddress) {
      const url = addressOf(request)
      const { pathname } = url ?? pathOf(request)
      const id = requestId(clock.now())
      if (gateway === undefined || !isBelow(pathname, GATEWAY_PREFIXES))
        return url ? http.fetch(request, { socketAddress }) : misdirected(request, id)
      const { headers, method } = request
      const ip = clientIp(socketAddress, headers.get('x-forwarded-for'), deps.trustedProxies)
      const arrival = { request, url: url ?? pathOf(request), ip, requestId: id }
      if (!url) return gatewayAnswer(gateway.turnAway(arrival, new AppError('bad_host')), request)
      if (method === 'OPTIONS' && headers.has('access-control-request-method')) return gatewayAnswer(preflight(headers), request)
      if (draining) return gatewayAnswer(gateway.turnAway(arrival), request)
      return gateway.handle(arrival).then((answer) => gatewayAnswer(answer, request))
    },
    async setupLink() {
      return (await setupRequired(deps)) ? setupPath(deps.jwtSecret) : undefined
    },
    drain() {
      draining = true
    },
    async close() {
      priceSync.stop()
      await scheduler.stop()
      await monitors.stop()
      await gateway?.close()
      await leaveProcesses()
      deps.limiter.close()
      redis?.close()
      await db.close()
    },
  }
}

/** Every process of an installation has the same secret, and another installation on the same Redis has another. */
function namespaceOf({ jwtSecret }: AppConfig): string {
  return `tollgate:{${sha256Hex(`redis ${jwtSecret}`).slice(0, 16)}}:`
}
