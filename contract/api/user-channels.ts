import { z } from 'zod'
import { nonNegativeDecimal } from '../decimal.ts'
import { endpoint } from '../endpoint.ts'
import { channelWire } from './channels.ts'
import { groupWire, idParams, listSchema, messageAnswer, searchQuery, time } from './common.ts'
import { userChannelFields, type RoutingAlgorithm } from './user-channel-fields.ts'
import { words } from '../words.ts'

const synonyms = words<RoutingAlgorithm>({
  round_robin: 'round_robin',
  roundrobin: 'round_robin',
  rr: 'round_robin',
  weighted_round_robin: 'weighted_round_robin',
  weighted_roundrobin: 'weighted_round_robin',
  weighted: 'weighted_round_robin',
  wrr: 'weighted_round_robin',
  least_latency: 'least_latency',
  lowest_cost: 'lowest_cost',
  least_busy: 'least_busy',
})

/** The algorithm a word means; an unknown one is `priority` (contract.md 3.5). */
export function routingAlgorithmOf(text: string): RoutingAlgorithm {
  return (
    synonyms[
      text
        .trim()
        .toLowerCase()
        .replace(/[-\s]+/g, '_')
    ] ?? 'priority'
  )
}

/** A group whose members may use a user channel (contract.md 2.5). */
const allowedGroupWire = z.strictObject({
  id: z.int(),
  user_channel_id: z.int(),
  group_id: z.int(),
  group: groupWire,
  created_at: time,
  updated_at: time,
})
export type AllowedGroupWire = z.input<typeof allowedGroupWire>

/** What a customer's key is bound to: a set of upstreams under one price and one routing rule. */
export const userChannelWire = z.strictObject({
  ...userChannelFields,
  /** Empty: open to all. */
  allowed_groups: z.array(allowedGroupWire),
  channels: z.array(channelWire).optional(),
})
export type UserChannelWire = z.input<typeof userChannelWire>

/** A first byte that is waited for longer than this is what the first-byte deadline is for. */
const MAX_HEDGE_DELAY_MS = 600_000

export const userChannelBody = z.object({
  name: z.string().trim().min(1, { error: 'User channel name is required' }).max(100).nullish(),
  description: z.string().trim().max(255).nullish(),
  multiplier: nonNegativeDecimal.nullish(),
  routing_algorithm: z.string().max(50).transform(routingAlgorithmOf).nullish(),
  enabled: z.boolean().nullish(),
  /** null or 0: never. */
  hedge_delay_ms: z.int().min(0).max(MAX_HEDGE_DELAY_MS).nullish(),
})
export type UserChannelBody = z.output<typeof userChannelBody>

export const listUserChannels = endpoint({
  method: 'GET',
  path: '/api/user-channels',
  access: 'support',
  summary: 'User channels with their upstreams and models',
  query: searchQuery,
  response: listSchema(userChannelWire),
})
export const createUserChannel = endpoint({
  method: 'POST',
  path: '/api/user-channels',
  access: 'admin',
  summary: 'Makes a user channel',
  body: userChannelBody.extend({
    name: z.string({ error: 'User channel name is required' }).trim().min(1, { error: 'User channel name is required' }).max(100),
  }),
  response: userChannelWire,
})
export const updateUserChannel = endpoint({
  method: 'PUT',
  path: '/api/user-channels/:id',
  access: 'admin',
  summary: 'Changes what is given',
  params: idParams('Invalid user channel id'),
  body: userChannelBody,
  response: userChannelWire,
})
export const deleteUserChannel = endpoint({
  method: 'DELETE',
  path: '/api/user-channels/:id',
  access: 'admin',
  summary: 'Deletes a user channel; its upstreams are detached and switched off',
  params: idParams('Invalid user channel id'),
  response: messageAnswer,
})

/** A site has some dozen groups. */
const MAX_GROUPS = 1_000
const groupIds = z.array(z.int().positive()).max(MAX_GROUPS)

export const putAllowedGroups = endpoint({
  method: 'PUT',
  path: '/api/user-channels/:id/allowed-groups',
  access: 'admin',
  summary: 'Limits a user channel to members of these groups: catalog, prices and calls; none opens it to all',
  params: idParams('Invalid user channel id'),
  body: z.union([groupIds, z.object({ group_ids: groupIds }).transform(({ group_ids: ids }) => ids)]),
  response: z.array(allowedGroupWire),
})
