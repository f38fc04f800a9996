import type { RoutingAlgorithm } from '../../../contract/api/user-channel-fields.ts'
import { money, MONEY_ONE } from '../../../contract/money.ts'
import { ManualClock } from '../../../test/clock.ts'
import { buildSnapshot, keysOf } from '../../features/catalog/build.ts'
import type { Catalog } from '../../features/catalog/service.ts'
import type { Snapshot } from '../../features/catalog/snapshot.ts'
import { Changes } from '../../http/changes.ts'
import type { Deps } from '../../http/deps.ts'
import { Limiter } from '../../lib/limiter.ts'
import { LiveSettings } from '../../lib/live-settings.ts'
import type { AdmittedCall } from '../call.ts'
import { ChannelLimits } from '../channel-limits.ts'
import { plan } from '../plan.ts'
import type { Pass } from './health.ts'
import { Routing } from './routing.ts'

/** A channel as a test describes it; the rest is usual. */
export interface TestChannel {
  priority?: number
  weight?: number
  keys?: string
  costFactor?: bigint
  userChannel?: number
}

const MODEL = 'm'
const one = money(MONEY_ONE)
const NO_LIMITS = { rate_limit_rpm: null, rate_limit_tpm: null, rate_limit_concurrency: null }

/** Routing over channels that exist in memory only: ids are 1, 2, 3 ... in the order given. */
export class Bench {
  readonly clock = new ManualClock()
  readonly routing: Routing
  readonly channelLimits: ChannelLimits
  readonly settings = new LiveSettings()
  /** What would have been kept of channels. */
  readonly kept: string[] = []
  #snapshot: Snapshot

  constructor(algorithm: RoutingAlgorithm, channels: readonly TestChannel[]) {
    this.#snapshot = snapshotOf(algorithm, channels)
    const silent = (): void => undefined
    const note = (message: string): void => void this.kept.push(message)
    const deps = {
      clock: this.clock,
      settings: this.settings,
      changes: new Changes(),
      log: { debug: silent, info: note, warn: note, error: note },
    }
    this.channelLimits = new ChannelLimits(new Limiter(this.clock, undefined, deps.log))
    this.routing = new Routing(deps as unknown as Deps, { snapshot: this.#snapshot } as Catalog)
  }

  /** A call of the model as one user of the given user channels (the first) makes it. */
  call(more: Partial<AdmittedCall> = {}, userChannels: readonly number[] = [1]): AdmittedCall {
    const model = this.#snapshot.models.get(MODEL)
    if (!model) throw new Error('no model')
    return {
      body: {},
      session: '',
      estimatedInput: 10,
      peek: { stream: true },
      facts: { userId: 1 },
      snapshot: this.#snapshot,
      model,
      lists: userChannels.flatMap((id) => {
        const list = model.byUserChannel.get(id)
        return list ? [list] : []
      }),
      ...more,
    } as unknown as AdmittedCall
  }

  /** Ids of the channels in the order they would be tried. */
  order(call = this.call()): number[] {
    return plan(call, this).map(({ channel }) => channel.id)
  }

  /** Begins a call on the first channel that lets it in; undefined: none does. */
  begin(call = this.call()): Pass | undefined {
    for (const candidate of plan(call, this)) {
      const key = call.place?.channelModelId === candidate.channelModelId ? call.place.keyIndex : undefined
      const pass = this.routing.health.enter(candidate, key, false)
      if (pass) return pass
    }
    return undefined
  }

  /** Makes a whole call that takes so long. @returns the channel that served it */
  serve(call = this.call(), ms = 0): number {
    const pass = this.begin(call)
    if (!pass) return 0
    this.clock.advance(ms)
    this.routing.answered(call, pass)
    this.routing.ended(call, { broke: false, reason: '', usage: undefined })
    return pass.candidate.channel.id
  }

  /** A try of the first channel fails. @returns that channel */
  fail(how: Partial<Parameters<Routing['health']['failed']>[1]> = {}, call = this.call()): number {
    const pass = this.begin(call)
    if (!pass) return 0
    this.routing.health.failed(pass, { blame: 'model', reason: 'broken', retryAfterMs: undefined, ...how })
    this.routing.health.end(pass)
    return pass.candidate.channel.id
  }

  /** How many of `count` calls each channel served. */
  share(count: number): Map<number, number> {
    const served = new Map<number, number>()
    for (let at = 0; at < count; at++) {
      const id = this.serve()
      served.set(id, (served.get(id) ?? 0) + 1)
    }
    return served
  }
}

function snapshotOf(algorithm: RoutingAlgorithm, channels: readonly TestChannel[]): Snapshot {
  const ranked = channels
    .map((channel, index) => ({ priority: 1, weight: 1, userChannel: 1, ...channel, id: index + 1 }))
    .toSorted((a, b) => b.priority - a.priority || b.weight - a.weight || a.id - b.id)
  return buildSnapshot(
    {
      groups: [],
      userChannelGroups: [],
      userChannels: [1, 2, 3].map((id) => ({
        id,
        name: `u${id}`,
        description: '',
        multiplier: one,
        routing_algorithm: algorithm,
        enabled: 1,
        hedge_delay_ms: null,
      })),
      channels: ranked.map(({ id, priority, weight, keys, costFactor, userChannel }) => ({
        id,
        user_channel_id: userChannel,
        name: `c${id}`,
        type: 'openai',
        base_url: 'https://up.example.test',
        api_key_sealed: keys ?? `key-${id}`,
        multiplier: money(costFactor ?? MONEY_ONE),
        priority,
        weight,
        auto_disabled_at: null,
        auto_disabled_reason: '',
        first_byte_timeout_seconds: null,
        ...NO_LIMITS,
      })),
      models: [
        {
          id: 1,
          model_name: MODEL,
          provider: '',
          provider_icon_url: '',
          price_card: JSON.stringify({ prices: { input: '1', output: '1' }, tiers: {}, quota_type: 0 }),
          free: 0,
          max_output_tokens: null,
          enabled: 1,
        },
      ],
      channelModels: ranked.map(({ id }) => ({
        id: 1_000_000 + id,
        channel_id: id,
        model_id: 1,
        upstream_model_name: 'up',
        cost_card: null,
        first_byte_timeout_seconds: null,
        ...NO_LIMITS,
      })),
      channelOverrides: [],
      metaModels: [],
      channelModelOverrides: [],
    },
    1,
    {
      openKeys: keysOf,
      broken: (what, id, error) => {
        throw new Error(`${what} ${id}`, { cause: error })
      },
    },
  )
}
