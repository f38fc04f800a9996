import { z } from 'zod'
import { channelTypeOf, channelTypes, upstreamProtocols } from '../channel-types.ts'
import { nonNegativeDecimal } from '../decimal.ts'
import { endpoint } from '../endpoint.ts'
import { channelModelWire } from './channel-models.ts'
import { firstByteTimeout, idParams, limitFields, limitInput, listSchema, messageAnswer, searchQuery, time } from './common.ts'
import { channelOverrideWire, overridesBody } from './groups.ts'
import { userChannelFields } from './user-channel-fields.ts'

/** The form of every text in these bodies. */
const text = (max: number) => z.string().trim().max(max)

/** An upstream (contract.md 2.6). */
export const channelWire = z.strictObject({
  id: z.int(),
  user_channel_id: z.int().nullable(),
  user_channel: z.strictObject(userChannelFields).optional(),
  name: z.string(),
  type: z.string(),
  /** What the upstream speaks, by its type. */
  protocol: z.enum(upstreamProtocols),
  base_url: z.string(),
  /** Masked; "" when there is none (W12). */
  api_key: z.string(),
  multiplier: z.string(),
  priority: z.int(),
  weight: z.int(),
  enabled: z.boolean(),
  price_sync_enabled: z.boolean(),
  price_sync_cron: z.string(),
  price_sync_last_at: time.nullable(),
  consecutive_failures: z.int(),
  last_failure_at: time.nullable(),
  last_failure_reason: z.string(),
  auto_disabled_at: time.nullable(),
  auto_disabled_reason: z.string(),
  last_health_checked_at: time.nullable(),
  last_health_status: z.string(),
  /** Instead of the site's; null: the site's. */
  first_byte_timeout_seconds: z.int().nullable(),
  ...limitFields,
  created_at: time,
  updated_at: time,
  models: z.array(channelModelWire),
  group_multipliers: z.array(channelOverrideWire).optional(),
})
export type ChannelWire = z.input<typeof channelWire>

/** Far beyond any use; keeps sums of weights exact. */
const MAX_RANK = 1_000_000

/** Some hundred keys. */
const MAX_KEYS_CHARS = 32_768

export const channelBody = z.object({
  user_channel_id: z.int().positive().nullish(),
  name: text(100).min(1, { error: 'Channel name is required' }).nullish(),
  type: text(50)
    .transform((type, context) => {
      const known = channelTypeOf(type)
      if (known === undefined) context.addIssue({ code: 'custom', message: `must be one of ${Object.keys(channelTypes).join(', ')}` })
      return known ?? z.NEVER
    })
    .nullish(),
  base_url: z.string().trim().nullish(),
  /** One key a line, used in turn. The mask or "" keeps what is stored, null clears it. */
  api_key: text(MAX_KEYS_CHARS).nullish(),
  multiplier: nonNegativeDecimal.nullish(),
  priority: z.int().min(-MAX_RANK).max(MAX_RANK).nullish(),
  weight: z.int().min(0, { error: 'must not be negative; 0 takes no part in weighted routing' }).max(MAX_RANK).nullish(),
  enabled: z.boolean().nullish(),
  /** Reads the price list by schedule and keeps it as a preview; prices change by an apply only. */
  price_sync_enabled: z.boolean().nullish(),
  /** Five fields of cron in UTC, or a descriptor such as `@hourly`; "": every hour. */
  price_sync_cron: text(100).nullish(),
  /** null: the site's. */
  first_byte_timeout_seconds: firstByteTimeout.nullish(),
  /** What the upstream may be asked for; a channel without room is left out, or waited for a moment. */
  ...limitInput,
})
export type ChannelBody = z.output<typeof channelBody>

export const listChannels = endpoint({
  method: 'GET',
  path: '/api/channels',
  access: 'support',
  summary: 'All upstreams; as a page newest first',
  query: searchQuery,
  response: listSchema(channelWire),
})
export const getChannel = endpoint({
  method: 'GET',
  path: '/api/channels/:id',
  access: 'support',
  summary: 'One upstream',
  params: idParams('Invalid channel id'),
  response: channelWire,
})
export const createChannel = endpoint({
  method: 'POST',
  path: '/api/channels',
  access: 'admin',
  summary: 'Connects an upstream; its key is kept encrypted',
  body: channelBody.extend({ name: text(100).min(1, { error: 'Channel name is required' }) }),
  response: channelWire,
})
export const updateChannel = endpoint({
  method: 'PUT',
  path: '/api/channels/:id',
  access: 'admin',
  summary: 'Changes what is given',
  params: idParams('Invalid channel id'),
  body: channelBody,
  response: channelWire,
})
export const deleteChannel = endpoint({
  method: 'DELETE',
  path: '/api/channels/:id',
  access: 'admin',
  summary: 'Deletes an upstream with its bindings and multipliers',
  params: idParams('Invalid channel id'),
  response: messageAnswer,
})
export const putChannelOverrides = endpoint({
  method: 'PUT',
  path: '/api/channels/:id/group-multipliers',
  access: 'admin',
  summary: 'Replaces the multipliers of an upstream by group; 0 removes',
  params: idParams('Invalid channel id'),
  body: overridesBody,
  response: z.array(channelOverrideWire),
})
