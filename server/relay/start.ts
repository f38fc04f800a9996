import type { AppError } from '../../contract/errors.ts'
import { KeyCache } from '../features/api-keys/cache.ts'
import { ledgerOf } from '../features/billing/service.ts'
import type { Catalog } from '../features/catalog/service.ts'
import { PayloadRecorder } from '../features/payloads/recorder.ts'
import { StoredResponses } from '../features/responses/service.ts'
import type { Deps } from '../http/deps.ts'
import { ChannelLimits } from './channel-limits.ts'
import { TokenCounter } from './counter.ts'
import type { RelayDeps } from './deps.ts'
import { ContentFilter } from './filter/filter.ts'
import { Gate } from './gate.ts'
import { gateway, turnAway, type GatewayRequest } from './gateway.ts'
import { KEEP_ALIVE_MS } from './limits.ts'
import { Judgements } from './meta-call/judge.ts'
import type { Routing } from './routing/routing.ts'
import { InputEstimator } from './tokens.ts'
import { StreamWatch } from './watch.ts'

/** The running gateway: answers everything below /v1 and /v1beta. */
export interface RunningGateway {
  handle(arrival: GatewayRequest): Promise<Response>
  /** The answer to a call that is not let in; without a reason the server stops. */
  turnAway(arrival: GatewayRequest, why?: AppError): Response
  close(): Promise<void>
}

/** Builds what the gateway keeps in memory. */
export function startGateway(deps: Deps, catalog: Catalog, routing: Routing): RunningGateway {
  const relayDeps: RelayDeps = {
    ...deps,
    keys: new KeyCache(deps),
    catalog,
    ledger: ledgerOf(deps.db),
    channelLimits: new ChannelLimits(deps.limiter),
    routing,
    estimator: new InputEstimator(),
    counter: new TokenCounter(),
    filter: new ContentFilter(deps.settings),
    responses: new StoredResponses(deps.db),
    payloads: new PayloadRecorder(deps),
    judgements: new Judgements(),
    watch: new StreamWatch(deps.clock, KEEP_ALIVE_MS, () => deps.settings.integer('reliability_stream_idle_timeout_seconds') * 1000),
  }
  const gate = new Gate({ ...deps, writer: deps.db.writer, streams: relayDeps.watch })
  return {
    async handle(arrival) {
      // Lists and stored answers are read from memory or by one small question.
      if (arrival.request.method !== 'POST') return gateway(arrival, relayDeps)
      const full = gate.enter()
      if (full) return turnAway(arrival, relayDeps, full)
      try {
        return await gateway(arrival, relayDeps)
      } finally {
        gate.leave()
      }
    },
    turnAway: (arrival, why) => turnAway(arrival, relayDeps, why),
    async close() {
      await relayDeps.payloads.write()
      await relayDeps.counter.close()
    },
  }
}
