import { metrics } from '../../../contract/api/system.ts'
import { AppError } from '../../../contract/errors.ts'
import { sessionGuard } from '../../features/auth/service.ts'
import { countHolds } from '../../features/billing/service.ts'
import { isLocal } from '../../features/setup/link.ts'
import { bind, type Route } from '../../http/bind.ts'
import { mayCall } from '../../http/caller.ts'
import type { Deps } from '../../http/deps.ts'
import { gauge, processText } from '../../lib/metrics.ts'
import type { Routing } from '../routing/routing.ts'

/** For Prometheus: what this process counted, and how it stands now. From this machine, or with an administrator's session. */
export function metricsRoutes(deps: Deps, routing: Routing): Route[] {
  const guard = sessionGuard(deps)
  return [
    bind(metrics, async ({ request, ip }) => {
      if (!isLocal(request, ip) && !mayCall((await guard.authenticate(request, ip)).role, 'admin')) throw new AppError('admin_required')
      const { inFlight, breakers } = routing.health.overview()
      const text = [
        deps.metrics.text(),
        gauge('tollgate_upstream_in_flight', 'Tries of upstreams that run now.', inFlight),
        gauge(
          'tollgate_upstream_breakers',
          'Breakers of channels with traffic, and of models and keys on them, by state.',
          breakers,
          'state',
        ),
        gauge('tollgate_holds', 'Amounts held for calls that run, of all processes on this database.', await countHolds(deps)),
        gauge('tollgate_writer_queue', 'Operations of the ledger that wait for the next commit.', deps.db.writer.waiting),
        processText(),
      ]
      return new Response(text.join(''), {
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' },
      })
    }),
  ]
}
