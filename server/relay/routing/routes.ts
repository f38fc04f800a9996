import * as api from '../../../contract/api/channel-health.ts'
import type { ChannelHealthWire } from '../../../contract/api/channel-health.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Catalog } from '../../features/catalog/service.ts'
import type { Candidate, CatalogChannel } from '../../features/catalog/snapshot.ts'
import { resetHealth } from '../../features/channels/health.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime } from '../../lib/clock.ts'
import { maskSecret } from '../../lib/secret-box.ts'
import type { Breaker, BreakerState } from './breaker.ts'
import type { Routing } from './routing.ts'

/** The health of upstreams as their traffic shows it, and its reset. */
export function routingRoutes(deps: Deps, catalog: Catalog, routing: Routing): Route[] {
  return [
    bind(api.listChannelHealth, () => {
      const { health } = routing
      return [...served(catalog).values()]
        .filter(({ channel }) => health.find(channel.id) !== undefined || channel.autoDisabledAt !== null)
        .map((one) => wireOf(one, deps, routing))
    }),
    bind(api.getChannelHealth, ({ params }) => {
      const one = served(catalog).get(params.id)
      if (!one)
        throw new AppError('channel_not_found', { message: 'This channel is not in use: switched off, or without a model for sale' })
      return wireOf(one, deps, routing)
    }),
    bind(api.resetChannelHealth, async ({ params, caller, ip }) => {
      await resetHealth(deps, params.id, { userId: caller.userId, ip })
      return { message: 'Channel health reset' }
    }),
  ]
}

/** A channel with the models it can serve now. */
interface Served {
  channel: CatalogChannel
  models: { name: string; candidate: Candidate }[]
}

function served({ snapshot }: Catalog): Map<number, Served> {
  const channels = new Map<number, Served>()
  for (const { name, all } of snapshot.models.values()) {
    for (const candidate of all) {
      const { channel } = candidate
      const known = channels.get(channel.id)
      if (known) known.models.push({ name, candidate })
      else channels.set(channel.id, { channel, models: [{ name, candidate }] })
    }
  }
  return channels
}

function wireOf({ channel, models }: Served, deps: Deps, { health }: Routing): ChannelHealthWire {
  const state = health.state(channel)
  const nowMs = deps.clock.monotonic()
  const breakerOf = (breaker: Breaker | undefined): Pick<ChannelHealthWire, 'state' | 'reason' | 'retry_at' | 'consecutive_failures'> => {
    const now: BreakerState = breaker?.state(nowMs) ?? 'closed'
    return {
      state: now,
      reason: now === 'closed' ? '' : (breaker?.reason ?? ''),
      retry_at: now === 'open' && breaker ? isoTime(deps.clock.now() + Math.round(breaker.openUntilMs - nowMs)) : null,
      consecutive_failures: breaker?.failures ?? 0,
    }
  }
  return {
    channel_id: channel.id,
    name: channel.name,
    user_channel_id: models[0]?.candidate.userChannelId ?? 0,
    ...breakerOf(state.breaker),
    auto_disabled: state.disabled,
    auto_disabled_reason: state.disabled ? channel.autoDisabledReason || (state.ring.breakers[0]?.reason ?? '') : '',
    in_flight: state.inFlight,
    calls: state.calls,
    failures: state.failures,
    input_tokens: state.inputTokens,
    cached_input_tokens: state.cachedTokens,
    cache_hit_rate: state.inputTokens === 0 ? null : state.cachedTokens / state.inputTokens,
    keys: state.ring.keys.map((key, index) => ({ key: key === '' ? '' : hintOf(key), ...breakerOf(state.ring.breakers[index]) })),
    models: models.map(({ name, candidate }) => {
      const speed = health.speeds.get(candidate.channelModelId)
      return {
        model_config_id: candidate.channelModelId,
        model_name: name,
        ...breakerOf(state.models.get(candidate.channelModelId)),
        first_token_ms: speed?.firstTokenMs === undefined ? null : Math.round(speed.firstTokenMs),
        tokens_per_second: speed?.tokensPerSecond === undefined ? null : Math.round(speed.tokensPerSecond * 10) / 10,
      }
    }),
  }
}

/** The last characters of a key tell two apart only where enough of it stays hidden. */
const HINT_CHARS = 4
const MIN_CHARS_FOR_HINT = 12

function hintOf(key: string): string {
  return maskSecret(key.length >= MIN_CHARS_FOR_HINT ? key.slice(-HINT_CHARS) : '')
}
