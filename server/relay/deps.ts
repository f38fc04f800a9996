import type { KeyCache } from '../features/api-keys/cache.ts'
import type { Catalog } from '../features/catalog/service.ts'
import type { Ledger } from '../features/billing/service.ts'
import type { PayloadRecorder } from '../features/payloads/recorder.ts'
import type { StoredResponses } from '../features/responses/service.ts'
import type { Deps } from '../http/deps.ts'
import type { ChannelLimits } from './channel-limits.ts'
import type { TokenCounter } from './counter.ts'
import type { ContentFilter } from './filter/filter.ts'
import type { Routing } from './routing/routing.ts'
import type { Judgements } from './meta-call/judge.ts'
import type { StreamWatch } from './watch.ts'
import type { InputEstimator } from './tokens.ts'

/** What the gateway needs beyond a feature's Deps. */
export interface RelayDeps extends Deps {
  readonly keys: KeyCache
  readonly catalog: Catalog
  readonly ledger: Ledger
  readonly channelLimits: ChannelLimits
  readonly routing: Routing
  readonly estimator: InputEstimator
  readonly counter: TokenCounter
  readonly filter: ContentFilter
  readonly watch: StreamWatch
  readonly payloads: PayloadRecorder
  readonly responses: StoredResponses
  /** What classifiers of meta models said of conversations. */
  readonly judgements: Judgements
}
