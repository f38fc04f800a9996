import { getChannelUsage, getUsage, getUserUsage, type ChannelUsage } from '../../../contract/api/usage.ts'
import { formatMoney, ZERO } from '../../../contract/money.ts'
import type { UsageCounts } from '../../db/schema.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { listChannelWires } from '../channels/service.ts'
import { userChannelWires } from '../user-channels/service.ts'
import { allTimeBy, usageOf } from './service.ts'
import { adminPointOf, adminTotalsOf, userPointOf, userTotalsOf } from './sums.ts'

/** What was used, from sums that are kept as calls are written (W51, W52). */
export function usageRoutes(deps: Deps): Route[] {
  return [
    bind(getUsage, ({ query }) => usageOf(deps, query, { totals: adminTotalsOf, point: adminPointOf })),
    bind(getUserUsage, ({ query, caller }) => {
      return usageOf(deps, { ...query, user_id: caller.userId }, { totals: userTotalsOf, point: userPointOf })
    }),
    bind(getChannelUsage, () => channelUsageOf(deps)),
  ]
}

/** The use of each channel since the beginning; one that nobody used has zeros (contract.md 3.5). */
async function channelUsageOf(deps: Deps): Promise<ChannelUsage> {
  const db = deps.db.query
  const [userChannels, channels] = [await userChannelWires(db), await listChannelWires(deps, undefined)]
  const [byUserChannel, byChannel] = [await allTimeBy(deps, 'user_channel_id'), await allTimeBy(deps, 'channel_id')]
  const all = Array.isArray(channels) ? channels : channels.items
  return {
    user_channels: [...userChannels.values()]
      .map(({ id, name, description, routing_algorithm, multiplier }) => ({
        id,
        name,
        description,
        routing_algorithm,
        multiplier,
        ...usedOf(byUserChannel.get(id)),
      }))
      .toSorted((a, b) => byName(a, b)),
    upstream_channels: all
      .map(({ id, name, type, user_channel_id, priority, weight }) => ({
        id,
        name,
        type,
        user_channel_id,
        priority,
        weight,
        user_channel_name: user_channel_id === null ? '' : (userChannels.get(user_channel_id)?.name ?? ''),
        ...usedOf(byChannel.get(id)),
      }))
      .toSorted((a, b) => b.priority - a.priority || b.weight - a.weight || byName(a, b)),
  }
}

function usedOf(sum: Partial<UsageCounts> = {}) {
  const { input_tokens = 0, output_tokens = 0 } = sum
  return {
    request_count: (sum.requests ?? 0) + (sum.parts ?? 0),
    input_tokens,
    output_tokens,
    cached_input_tokens: sum.cached_input_tokens ?? 0,
    total_tokens: input_tokens + output_tokens,
    total_cost: formatMoney(sum.cost ?? ZERO),
  }
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
